"""Sealed datagrams <-> bytes: the header in clear and what is inside the seal (ADR 12).

One rule: any bytes either are read or raise `MalformedSeal`; nothing here knows a key.
"""

import struct
from dataclasses import dataclass
from typing import Final

CHALLENGE: Final = 8
"""Octets of a challenge."""
ECHOES: Final = 32
"""Echoes that a datagram carries at most."""
TAG: Final = 16
"""Octets by which ciphertext is longer than what it hides (RFC 8439)."""
COUNTERS: Final = 1 << 64

QUESTION: Final = b"?"
"""In place of a VRRP message: a master answers with its advert, at once."""

_MAGIC: Final = 0xF100
_HEADER: Final = struct.Struct("!H4sH4s8sI16sQ")
_INSIDE: Final = struct.Struct("!8sB")


class MalformedSeal(ValueError):
    """The bytes are no sealed datagram, or what was in the seal makes no sense."""


@dataclass(frozen=True, slots=True)
class Session:
    """One run of one sender: a digest of its node's name, its counted start, and random octets."""

    sender: bytes
    start: int
    salt: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What travels in clear: for which router, under which key, from whom, the how manieth."""

    router: bytes
    key: bytes
    session: Session
    counter: int


@dataclass(frozen=True, slots=True)
class Inside:
    """What a datagram hides; `message` is a VRRP message, or empty where a backup only asks."""

    challenge: bytes
    echoes: tuple[bytes, ...] = ()
    message: bytes = b""


def is_sealed(message: bytes) -> bool:
    """Tell a sealed datagram from a VRRP message: by a version and a vrid that VRRP has not."""
    return message[:2] == _MAGIC.to_bytes(2)


def tag_of(datagram: bytes) -> bytes:
    """Return what stands for the router that a sealed datagram is for."""
    return datagram[2:6]


def encode_header(header: Header) -> bytes:
    """Return the 48 octets before the ciphertext; the place of IPv6's checksum is zero."""
    one = header.session
    ours = header.router, 0, header.key, one.sender, one.start, one.salt, header.counter
    return _HEADER.pack(_MAGIC, *ours)


def decode(datagram: bytes) -> tuple[Header, bytes]:
    """Return the header and the ciphertext, or raise `MalformedSeal`."""
    if len(datagram) < _HEADER.size + _INSIDE.size + TAG:
        raise MalformedSeal(f"{len(datagram)} octets")
    magic, router, _, key, sender, start, salt, counter = _HEADER.unpack_from(datagram)
    if magic != _MAGIC:
        raise MalformedSeal(f"begins with {datagram[:2].hex()}")
    header = Header(router, key, Session(sender, start, salt), counter)
    return header, datagram[_HEADER.size :]


def encode_inside(inside: Inside) -> bytes:
    """Return what is to be hidden."""
    echoes = inside.echoes[:ECHOES]
    return _INSIDE.pack(inside.challenge, len(echoes)) + b"".join(echoes) + inside.message


def decode_inside(plain: bytes) -> Inside:
    """Read what was hidden, or raise `MalformedSeal`: then a holder of the key is wrong."""
    if len(plain) < _INSIDE.size:
        raise MalformedSeal(f"{len(plain)} octets inside")
    challenge, count = _INSIDE.unpack_from(plain)
    end = _INSIDE.size + count * CHALLENGE
    if count > ECHOES or len(plain) < end:
        raise MalformedSeal(f"{count} echoes in {len(plain)} octets")
    places = range(_INSIDE.size, end, CHALLENGE)
    return Inside(challenge, tuple(plain[at : at + CHALLENGE] for at in places), plain[end:])
