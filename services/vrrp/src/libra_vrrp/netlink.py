"""Netlink messages and their attributes <-> bytes (linux/netlink.h).

One rule: what is cut short raises `ValueError`; what a message is about is no matter here.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

REQUEST, ACK, EXCLUSIVE, REPLACE, CREATE, DUMP = 0x1, 0x4, 0x200, 0x100, 0x400, 0x300
"""Flags of a request."""

CAPPED, EXPLAINED = 0x100, 0x200
"""Flags of an answer: what was asked is left out, and attributes follow."""

_HEADER: Final = struct.Struct("=IHHII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_ERROR, _EXPLANATION = 4, 1
"""Octets of an errno, and NLMSGERR_ATTR_MSG."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a datagram: its type, the request that it answers, and what follows."""

    kind: int
    flags: int
    sequence: int
    body: bytes


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """Return a message as it is sent."""
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def messages(datagram: bytes) -> Iterator[Message]:
    """Yield the messages of a datagram; raise `ValueError` if it is cut short."""
    at = 0
    while at + _HEADER.size <= len(datagram):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(datagram, at)
        if not _HEADER.size <= length <= len(datagram) - at:
            raise ValueError(f"netlink message of {length} octets in {len(datagram) - at}")
        yield Message(kind, flags, sequence, datagram[at + _HEADER.size : at + length])
        at += _padded(length)


def explanation(answer: Message) -> str:
    """Return what the kernel says of a refusal, beside its errno; "" where it says nothing.

    It is behind the header of what was asked, and behind its body unless the answer is capped.
    """
    if not answer.flags & EXPLAINED or len(answer.body) < _ERROR + _HEADER.size:
        return ""
    asked, *_ = _HEADER.unpack_from(answer.body, _ERROR)
    skipped = _HEADER.size if answer.flags & CAPPED else max(_padded(asked), _HEADER.size)
    told = dict(attributes(answer.body[_ERROR + skipped :]))
    return told.get(_EXPLANATION, b"").rstrip(b"\0").decode(errors="replace")


def attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute with its padding."""
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_padded(length) - length)


def attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the attributes that `body` consists of; raise `ValueError` if it is cut short."""
    at = 0
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if not _ATTRIBUTE.size <= length <= len(body) - at:
            raise ValueError(f"netlink attribute of {length} octets in {len(body) - at}")
        yield kind, body[at + _ATTRIBUTE.size : at + length]
        at += _padded(length)


def _padded(length: int) -> int:
    return (length + 3) & ~3
