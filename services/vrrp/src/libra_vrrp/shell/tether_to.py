"""The tether to one other node at work: what `tether.peer` decides is done here."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Final, Protocol, assert_never

from libra_vrrp.alarm import Rung, ring
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.seal.names import sender
from libra_vrrp.shell.say import log
from libra_vrrp.shell.tcp import Tcp
from libra_vrrp.shell.tether_line import TetherLine
from libra_vrrp.tether import peer
from libra_vrrp.tether.channel import Refused, Routers, Word
from libra_vrrp.tether.dealings import (
    Bereave,
    Close,
    Connected,
    Dial,
    Effect,
    Elapsed,
    Ended,
    HangUp,
    Heard,
    Input,
    Introduce,
    Note,
    Settle,
    Unconnected,
)
from libra_vrrp.tether.ending import Ending, attempt
from libra_vrrp.tether.ends import Ends, connects_first
from libra_vrrp.tether.message import MalformedTether, Reason
from libra_vrrp.tether.rank import Standings

_NUMBERS: Final = count(1)


class Around(Protocol):
    """What all tethers of a node share."""

    ends: Ends
    sender: bytes
    tcp: Tcp
    standings: Standings

    def entrust(self, key: str, connection: socket.socket) -> bool:
        """Have the guard hold a connection too; False where it is not sure to."""

    def let_go(self, key: str) -> None:
        """Have the guard hold it no more."""

    def supersede(self, name: str) -> None:
        """Have the guard hold nothing more that our predecessor had with a node."""

    def watch(self, waited: socket.socket, act: Callable[[float], None], *, out: bool) -> None:
        """Call `act` when a socket can be read, or written."""

    def ignore(self, waited: socket.socket) -> None:
        """Wait for it no more."""

    def count(self, name: str) -> None:
        """Count something."""

    def bereave(self, name: str, said: Standings) -> None:
        """Know that a node is dead that stood so."""


class TetherTo:
    """`routers` are those that both nodes take part in."""

    def __init__(
        self, name: str, address: IpAddress, routers: Routers, around: Around, now: float
    ) -> None:
        self.name, self.address, self.routers = name, address, routers
        self._around, self._sender = around, sender(name)
        self._lines: dict[int, TetherLine] = {}
        self._dialling: socket.socket | None = None
        self._endings: list[tuple[int, Ending]] = []
        self._rung: dict[str, Rung] = {}
        first = connects_first(around.ends.own, address)
        self._peer = peer.begin(now, connects_first=first)
        self._due = peer.deadline(self._peer)

    @property
    def standings(self) -> Standings:
        """How the other node stands, while it is tied to us."""
        return self._peer.standings

    def wake_at(self) -> float:
        """Return when `tend` is next due."""
        return self._due

    def tend(self, now: float) -> None:
        """Believe in ends once all that was said before them has been heard; do what is due."""
        endings, self._endings = self._endings, []
        for number, ending in endings:
            self._end(number, ending, now)
        if now >= self._due:
            self._give(Elapsed(), now)

    def accept(self, connection: socket.socket, now: float) -> None:
        """Take a connection in that the other node made."""
        try:
            self._around.tcp.tune(connection)
            self._begin(connection, now, is_ours=False)
        except OSError:
            connection.close()

    def say(self, router: bytes) -> None:
        """Say how we stand in a router."""
        if router in self.routers and router in self._around.standings:
            for line in self._lines.values():
                if line.is_introduced:
                    line.say(self.routers, router, self._around.standings[router])

    def close(self, reason: Reason) -> None:
        """End it all."""
        self._hang_up()
        for number in list(self._lines):
            self._close(number, reason)

    def _give(self, given: Input, now: float) -> None:
        self._peer, effects = peer.step(self._peer, given, now, self._around.tcp.dice())
        self._due = peer.deadline(self._peer)
        for effect in effects:
            self._perform(effect, now)

    def _perform(self, effect: Effect, now: float) -> None:
        match effect:
            case Dial() | HangUp():
                self._hang_up()
                if isinstance(effect, Dial):
                    self._dial(now)
            case Introduce(number=number):
                self._introduce(number, now)
            case Note(number=number):
                self._note(number, now)
            case Close(number=number, reason=reason):
                self._close(number, reason)
            case Settle():
                self._around.supersede(self.name)
            case Bereave(said=said):
                self._log("a node died, its tether tells", "warning", now)
                self._around.bereave(self.name, said)
            case _:
                assert_never(effect)

    def _dial(self, now: float) -> None:
        ends = self._around.ends
        try:
            dialling = self._around.tcp.dial(ends.own, self.address, ends.port)
        except OSError as wrong:
            self._give(Unconnected(attempt(wrong.errno or 0)), now)
            return
        self._dialling = dialling
        self._around.watch(dialling, lambda then: self._dialled(dialling, then), out=True)

    def _dialled(self, dialling: socket.socket, now: float) -> None:
        if dialling is not self._dialling:
            return
        self._dialling = None
        self._around.ignore(dialling)
        error = dialling.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        try:
            if not error:
                self._begin(dialling, now, is_ours=True)
                return
        except OSError as wrong:  # it has ended already
            error = wrong.errno or 0
        dialling.close()
        self._give(Unconnected(attempt(error)), now)

    def _begin(self, connection: socket.socket, now: float, *, is_ours: bool) -> None:
        number = next(_NUMBERS)
        key = f"{self.name} {os.getpid()}.{number}"
        line = TetherLine(connection, key, self._around.sender, self._sender)
        self._lines[number] = line
        self._around.watch(connection, lambda then: self._read(number, then), out=False)
        self._give(Connected(number, is_ours), now)

    def _read(self, number: int, now: float) -> None:
        line = self._lines.get(number)
        if line is None:
            return
        words: tuple[Word, ...] = ()
        ending: Ending | None
        try:
            words, ending = line.receive(self.routers, now)
        except MalformedTether as wrong:
            self._around.count("tether_malformed")
            self._log("a tether's peer makes no sense", "warning", now, why=str(wrong))
            ending = Ending.LOST
        for word in words:
            if isinstance(word, Refused):
                self._around.count("tether_refused")
            elif number in self._lines:
                self._give(Heard(number, word), now)
        if ending is not None:
            self._endings.append((number, ending))

    def _note(self, number: int, now: float) -> None:
        self._log("tethered", "info", now)
        self._around.count("tether_tied")
        if line := self._lines.get(number):
            line.note()

    def _log(self, event: str, level: str, now: float, **facts: str) -> None:
        """Log what happened, unless the same was told a moment ago: who floods fills no disk."""
        self._rung[event], times = ring(self._rung.get(event, Rung()), now)
        if times:
            log(event, level, peer=self.name, **facts, **({"times": times} if times > 1 else {}))

    def _introduce(self, number: int, now: float) -> None:
        line = self._lines.get(number)
        if line is None:
            return
        if not self._around.entrust(line.key, line.socket):
            self._end(number, Ending.LOST, now)
            return
        line.is_introduced = True
        for router in self.routers:
            self.say(router)

    def _end(self, number: int, ending: Ending, now: float) -> None:
        if number in self._lines:
            self._around.count(f"tether_{ending.value}")
            self._close(number, Reason.UNUSABLE)
            self._give(Ended(number, ending), now)

    def _close(self, number: int, reason: Reason) -> None:
        line = self._lines.pop(number, None)
        if line is not None:
            self._around.ignore(line.socket)
            if line.is_introduced:
                self._around.let_go(line.key)
            line.close(self.routers, reason)

    def _hang_up(self) -> None:
        dialling, self._dialling = self._dialling, None
        if dialling is not None:
            self._around.ignore(dialling)
            with suppress(OSError):
                dialling.close()
