"""What is said on a tether <-> bytes: frames of an octet of length, one of kind, and a body.

One rule: any bytes either are read or raise `MalformedTether`; nothing here knows a key.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import ip_address
from typing import Final, TypeAlias, assert_never

from libra_vrrp.rtnetlink import IpAddress

SENDER: Final = 8
NONCE: Final = 16
ROUTER: Final = 4
KEY: Final = 4
COUNTER: Final = 4

_MAGIC: Final = b"LTE1"
_HELLO, _PLAIN, _SEALED, _HEARD = range(1, 5)
_STANDING, _BYE = 1, 2
_KEYED: Final = ROUTER + KEY
_COUNTED: Final = _KEYED + COUNTER
_SAID: Final = struct.Struct("!BB")
_LARGEST: Final = 64
"""Octets of a frame; a sealed one about IPv6 has 47."""


class MalformedTether(ValueError):
    """The other end says something that is no word of this protocol."""


class Reason(IntEnum):
    """Why a connection is about to be closed on purpose."""

    STOPPED = 1
    RELOADED = 2
    REPLACED = 3
    UNUSABLE = 4


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame of each end: a digest of its node's name, and random octets."""

    sender: bytes
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Plain:
    """Something said about the virtual router whose tag is `router`."""

    router: bytes
    said: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """The same under seal: `key` names the key, `counter` rises."""

    router: bytes
    key: bytes
    counter: int
    hidden: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What you said of a router was heard on this connection: it may replace the one before."""


Frame: TypeAlias = Hello | Plain | Sealed | Heard


@dataclass(frozen=True, slots=True)
class Standing:
    """How the sender stands in a router: priority, 0 while it takes no part, and its address.

    `address` is where its advertisements come from.
    """

    priority: int
    address: IpAddress


@dataclass(frozen=True, slots=True)
class Bye:
    """The end of this connection is no death."""

    reason: int


Said: TypeAlias = Standing | Bye


def encode(frame: Frame) -> bytes:
    """Return a frame as it travels."""
    match frame:
        case Hello():
            body = bytes((_HELLO,)) + _MAGIC + frame.sender + frame.nonce
        case Plain():
            body = bytes((_PLAIN,)) + frame.router + frame.said
        case Sealed():
            body = clear(frame) + frame.hidden
        case Heard():
            body = bytes((_HEARD,))
        case _:
            assert_never(frame)
    return bytes((len(body),)) + body


def clear(sealed: Sealed) -> bytes:
    """Return what of a sealed frame is in clear: it is under the seal's protection."""
    return bytes((_SEALED,)) + sealed.router + sealed.key + sealed.counter.to_bytes(COUNTER)


def split(octets: bytes) -> tuple[tuple[Frame, ...], bytes]:
    """Return the whole frames, and what is left; raise `MalformedTether`."""
    found: list[Frame] = []
    while octets and len(octets) > octets[0]:
        end = octets[0] + 1
        found.append(_decode(octets[1:end]))
        octets = octets[end:]
    if octets and octets[0] > _LARGEST:
        raise MalformedTether(f"a frame of {octets[0]} octets")
    return tuple(found), octets


def _decode(body: bytes) -> Frame:
    kind, rest = body[:1], body[1:]
    match list(kind):
        case [1] if rest.startswith(_MAGIC) and len(rest) == len(_MAGIC) + SENDER + NONCE:
            sender = rest[len(_MAGIC) :]
            return Hello(sender[:SENDER], sender[SENDER:])
        case [2] if len(rest) > ROUTER:
            return Plain(rest[:ROUTER], rest[ROUTER:])
        case [3] if len(rest) > _COUNTED:
            key, counter, hidden = rest[ROUTER:_KEYED], rest[_KEYED:_COUNTED], rest[_COUNTED:]
            return Sealed(rest[:ROUTER], key, int.from_bytes(counter), hidden)
        case [4] if not rest:
            return Heard()
        case _:
            raise MalformedTether(f"begins with {body[:5].hex()}, {len(body)} octets")


def dumps(said: Said) -> bytes:
    """Return what is said of a router."""
    match said:
        case Standing(priority=priority, address=address):
            return _SAID.pack(_STANDING, priority) + address.packed
        case Bye(reason=reason):
            return _SAID.pack(_BYE, reason)
        case _:
            assert_never(said)


def loads(octets: bytes) -> Said:
    """Read what is said of a router; raise `MalformedTether`."""
    if len(octets) >= _SAID.size:
        what, number = _SAID.unpack_from(octets)
        rest = octets[_SAID.size :]
        if what == _STANDING and len(rest) in {4, 16}:
            return Standing(number, ip_address(rest))
        if what == _BYE and not rest:
            return Bye(number)
    raise MalformedTether(f"{octets[:20].hex()} is said of a router")
