"""A channel of a check in both directions: what is said on it, in words.

The one rule: on a new channel, and under TLS, everything is read anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from libra_health.decoded.flow import Flow, Piece, Show, Take, Way
from libra_health.wire import (
    Connect,
    DeadlineReached,
    Effect,
    Ended,
    Input,
    OpenPing,
    OpenUdp,
    PingOpened,
    Refused,
    StartTls,
    Unsecured,
)

MESSAGES: Final = 256
"""Messages that are put in words of what is sent or comes at once."""

Pieces: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Talk:
    """How far a channel was read. `kind`: the config word of the check."""

    kind: str = ""
    way: Way | None = None
    sent: Flow | None = None
    heard: Flow | None = None

    def after(self, event: Effect | Input) -> tuple[Talk, Pieces]:
        """Go on after an event; at the end give the beginning of a message that has no end."""
        match event:
            case Connect() | StartTls():
                return self._anew(Way(is_sent=True)), ()
            case OpenUdp(target) | OpenPing(target):
                way = Way(is_sent=True, is_stream=False, is_ipv6=target.is_ipv6)
                return self._anew(way), ()
            case PingOpened(raw) if self.way is not None:
                return self._anew(replace(self.way, is_raw=raw)), ()
            case Refused() | Unsecured() | Ended() | DeadlineReached() if self.heard is not None:
                over, rest = self.heard.end()
                return replace(self, heard=over), ((rest,) if rest else ())
            case _:
                return self, ()

    def say(self, data: bytes, show: Show) -> tuple[Talk, Pieces]:
        """Put in words what is sent."""
        if self.sent is None:
            return self, (data,)
        sent, pieces = self.sent.read(data, show, MESSAGES)
        return replace(self, sent=sent), pieces

    def hear(self, data: bytes, show: Show) -> tuple[Talk, Pieces]:
        """Put in words what came."""
        if self.heard is None:
            return self, (data,)
        heard, pieces = self.heard.read(data, show, MESSAGES)
        return replace(self, heard=heard), pieces

    def _anew(self, way: Way) -> Talk:
        return Talk(
            self.kind,
            way,
            _flow(self.kind, way),
            _flow(self.kind, replace(way, is_sent=False)),
        )


SILENCE: Final = Talk()


def _flow(kind: str, way: Way) -> Flow | None:
    """Begin one direction; None where it is shown as it comes."""
    take = _taking(kind, way)
    return None if take is None else Flow(take, way.is_stream)


def _taking(kind: str, way: Way) -> Take | None:
    """Load only what is needed: two of these are slow to import."""
    match kind:
        case "dns":
            from libra_health.decoded import dns  # noqa: PLC0415

            return dns.taking(way)
        case "grpc":
            from libra_health.decoded import grpc  # noqa: PLC0415

            return grpc.taking(way)
        case "icmp":
            from libra_health.decoded import icmp  # noqa: PLC0415

            return icmp.taking(way)
        case "ldap":
            from libra_health.decoded import ldap  # noqa: PLC0415

            return ldap.taking(way)
        case _:
            return None
