"""One direction of a channel, cut into the messages of its protocol, each put in words.

The one rule: any bytes give words or come back as they are; what waits for its end is bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

HELD: Final = 65536 + 16
"""Bytes of a message that are waited for: more than any check reads."""

Show: TypeAlias = Callable[[bytes], str]
"""Shows foreign bytes: escaped, in bounds, and no secret in them."""
Take: TypeAlias = Callable[[bytes, Show], "tuple[str, int] | None"]
"""Puts the first message in words and tells its length; None where it is not whole.

Raises Unreadable.
"""
Piece: TypeAlias = str | bytes
"""A message in words, or what is none as it came."""


class Unreadable(Exception):
    """This is no message of the protocol."""


@dataclass(frozen=True, slots=True)
class Way:
    """What of a channel matters for reading it. `is_raw`: see wire.PingOpened."""

    is_sent: bool
    is_stream: bool = True
    is_ipv6: bool = False
    is_raw: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """How far one direction was read. `pending`: the beginning of a message.

    `is_lost`: what comes from now on is shown as it is. Of a stream `take` may keep what it needs
    to understand the following: a flow is read on from once.
    """

    take: Take
    is_stream: bool
    pending: bytes = b""
    is_lost: bool = False

    def read(self, data: bytes, show: Show, most: int) -> tuple[Flow, tuple[Piece, ...]]:
        """Read on with what came; gives *most* pieces at most, and is lost with more."""
        if self.is_lost:
            return self, (data,)
        if not self.is_stream:
            return self, (self._whole(data, show),)
        pieces, rest, is_lost = self._messages(self.pending + data, show, most)
        if is_lost or len(rest) > HELD:
            return self._lost(), (*pieces, rest)
        if rest and not pieces:
            pieces.append(f"({len(data)} bytes, the message is not whole)")
        return replace(self, pending=rest), tuple(pieces)

    def _messages(self, rest: bytes, show: Show, most: int) -> tuple[list[Piece], bytes, bool]:
        """Give the messages that are whole, what comes after, and whether that is none."""
        pieces: list[Piece] = []
        while rest:
            if len(pieces) == most:
                return pieces, rest, True
            try:
                found = self.take(rest, show)
            except Unreadable:
                return pieces, rest, True
            if found is None:
                break
            pieces.append(found[0])
            rest = rest[found[1] :]
        return pieces, rest, False

    def end(self) -> tuple[Flow, bytes]:
        """Give the beginning of a message whose end never came."""
        return self._lost(), self.pending

    def _lost(self) -> Flow:
        return replace(self, pending=b"", is_lost=True)

    def _whole(self, data: bytes, show: Show) -> Piece:
        """Read a datagram, which is one message and nothing else."""
        try:
            found = self.take(data, show)
        except Unreadable:
            return data
        return found[0] if found is not None and found[1] == len(data) else data
