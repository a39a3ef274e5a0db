"""One connection's talk: both ends greet, then say how they stand in each router, sealed or plain.

A seal's key is derived for this connection, this direction and this router from the octets that
both ends threw, so nothing recorded is of use. One rule: what a router's seal does not vouch for
is not heard; what is no frame at all raises `MalformedTether`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from libra_vrrp.tether.message import (
    Frame,
    Heard,
    Hello,
    MalformedTether,
    Plain,
    Said,
    Sealed,
    dumps,
    encode,
    loads,
    split,
)

_LAST = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a connection: the greetings and packed addresses of who speaks and hears."""

    speaker: Hello
    hearer: Hello
    source: bytes
    destination: bytes


class Lock(Protocol):
    """The keys of one virtual router."""

    def seal(self, way: Way, counter: int, said: bytes) -> Sealed:
        """Hide what is said."""

    def open(self, way: Way, sealed: Sealed) -> bytes | None:
        """Return what was hidden; None where a key is unknown or anything was changed."""


@dataclass(frozen=True, slots=True)
class Protection:
    """How what is said of a router travels: without a lock in clear; where required never so."""

    lock: Lock | None = None
    is_required: bool = False


Routers: TypeAlias = Mapping[bytes, Protection]
"""The virtual routers that both ends take part in, by their tags."""


@dataclass(frozen=True, slots=True)
class Greeted:
    """The other end is the node that it is to be."""


@dataclass(frozen=True, slots=True)
class Told:
    """The other end says something of a router."""

    router: bytes
    said: Said


@dataclass(frozen=True, slots=True)
class Noted:
    """The other end heard us."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Something about a router was not what its seal demands."""

    router: bytes


Word: TypeAlias = Greeted | Told | Noted | Refused


@dataclass(frozen=True, slots=True)
class Channel:
    """`here` and `there` are packed addresses, `expected` is the sender that is to answer."""

    own: Hello
    expected: bytes
    here: bytes
    there: bytes
    theirs: Hello | None = None
    rest: bytes = b""
    spent: int = 0
    opened: Mapping[bytes, int] = field(default_factory=dict)


def say(channel: Channel, routers: Routers, router: bytes, said: Said) -> tuple[Channel, bytes]:
    """Return the octets that tell something of a router; none before the other end greeted."""
    theirs, protection = channel.theirs, routers[router]
    if theirs is None:
        return channel, b""
    lock, octets = protection.lock, b""
    if lock is not None and channel.spent <= _LAST:
        way = Way(channel.own, theirs, channel.here, channel.there)
        octets = encode(lock.seal(way, channel.spent, dumps(said)))
        channel = replace(channel, spent=channel.spent + 1)
    if not protection.is_required:
        octets += encode(Plain(router, dumps(said)))
    return channel, octets


def hear(channel: Channel, routers: Routers, octets: bytes) -> tuple[Channel, tuple[Word, ...]]:
    """Take in what came; raise `MalformedTether` where nothing more is to be read here."""
    frames, rest = split(channel.rest + octets)
    channel, words = replace(channel, rest=rest), []
    for frame in frames:
        channel, word = _take(channel, routers, frame)
        words.append(word)
    return channel, tuple(word for word in words if word is not None)


def _take(channel: Channel, routers: Routers, frame: Frame) -> tuple[Channel, Word | None]:
    match frame:
        case Hello():
            return _greeted(channel, frame), Greeted()
        case _ if channel.theirs is None:
            raise MalformedTether("it does not begin with a greeting")
        case Heard():
            return channel, Noted()
        case Plain() if frame.router in routers:
            if routers[frame.router].is_required:
                return channel, Refused(frame.router)
            return channel, Told(frame.router, loads(frame.said))
        case Sealed() if frame.router in routers:
            return _unsealed(channel, channel.theirs, routers[frame.router].lock, frame)
        case _:
            return channel, None


def _greeted(channel: Channel, hello: Hello) -> Channel:
    if channel.theirs is not None:
        raise MalformedTether("a second greeting")
    if hello.nonce == channel.own.nonce or hello.sender != channel.expected:
        raise MalformedTether("the greeting of another node")
    return replace(channel, theirs=hello)


def _unsealed(
    channel: Channel, theirs: Hello, lock: Lock | None, frame: Sealed
) -> tuple[Channel, Word | None]:
    """Open a frame; one whose counter does not rise is no word of the other end."""
    if lock is None:
        return channel, None
    way = Way(theirs, channel.own, channel.there, channel.here)
    plain = lock.open(way, frame)
    if plain is None or frame.counter <= channel.opened.get(frame.router, -1):
        return channel, Refused(frame.router)
    opened = {**channel.opened, frame.router: frame.counter}
    return replace(channel, opened=opened), Told(frame.router, loads(plain))
