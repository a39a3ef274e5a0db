"""The tethers of this node: one to each other node, and the port that the others connect to.

They have an epoll of their own, so that what was said before an end is heard before it.
"""

import selectors
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final, Protocol

from libra_vrrp.seal.names import sender
from libra_vrrp.shell import tcp as kernel
from libra_vrrp.shell.held_tethers import PORT
from libra_vrrp.shell.tcp import Tcp
from libra_vrrp.shell.tether_port import Port
from libra_vrrp.shell.tether_to import TetherTo
from libra_vrrp.tether.channel import Protection
from libra_vrrp.tether.ends import Ends
from libra_vrrp.tether.message import Reason
from libra_vrrp.tether.rank import Standings

NEWS: Final = 0.05
"""Seconds between two looks at how every router stands, at the least."""


class Trustee(Protocol):
    """Who holds connections for us after our death: the guard."""

    def entrust(self, key: str, connection: socket.socket) -> bool:
        """Have it hold a connection; False where it is not sure to."""

    def let_go(self, key: str) -> None:
        """Have it hold a connection no more."""

    def supersede(self, name: str) -> None:
        """Have it hold nothing more that our predecessor had with a node."""


@dataclass(frozen=True, slots=True)
class Bond:
    """A virtual router of ours on tethers: with which nodes, and how what is said is protected."""

    peers: frozenset[str]
    protection: Protection


@dataclass(frozen=True, slots=True)
class Plan:
    """What tethers are for: our ends, and by its tag every router that can be spoken of."""

    ends: Ends
    bonds: Mapping[bytes, Bond] = field(default_factory=dict)


class Tethers:
    """Nothing happens before there is a plan."""

    def __init__(
        self, node: str, trustee: Trustee, count: Callable[[str], None], tcp: Tcp = kernel
    ) -> None:
        self.sender, self.count, self.tcp = sender(node), count, tcp
        self.entrust, self.let_go = trustee.entrust, trustee.let_go
        self.supersede = trustee.supersede
        self.standings: Standings = {}
        self.ends = Ends(IPv4Address(0), 0, ())
        self._selector = tcp.selector()
        self._plan: Plan | None = None
        self._has_begun = False
        self._port: Port | None = None
        self._waited: socket.socket | None = None
        self._peers: dict[str, TetherTo] = {}
        self._bereaved: list[tuple[str, Standings]] = []
        self._stand_at, self._owed = 0.0, float("inf")

    def fileno(self) -> int:
        """Return the descriptor that is readable when `turn` has something to do."""
        return self._selector.fileno()

    @property
    def is_idle(self) -> bool:
        """Whether nobody is to be tied."""
        return self._plan is None

    def follow(self, plan: Plan | None, now: float) -> None:
        """Go on by another plan; a tether that it changes is made anew, with a bye before.

        Without one the guard lets nobody in either where our predecessor listened.
        """
        if plan == self._plan and self._has_begun:
            return
        before, self._plan, self._has_begun = self._plan, plan, True
        if before is None or plan is None or _port(before) != _port(plan):
            self._close(Reason.RELOADED)
            self._port = None
        if plan is None:
            self.supersede(PORT)
            return
        self.ends = plan.ends
        if self._port is None:
            self._port = Port(plan.ends.own, plan.ends.port, self)
        for name in [name for name, one in self._peers.items() if not _stays(one, plan)]:
            self._peers.pop(name).close(Reason.RELOADED)
        for name, address in plan.ends.peers:
            if name not in self._peers:
                self._peers[name] = TetherTo(name, address, routers(plan, name), self, now)

    def is_to_stand(self, now: float) -> bool:
        """Say whether to look for news of how we stand; where not, it is owed a moment later."""
        self._owed = self._stand_at if now < self._stand_at else float("inf")
        if self._owed == float("inf"):
            self._stand_at = now + NEWS
            return True
        return False

    def stand(self, standings: Standings) -> None:
        """Say what is news of how we stand in each router."""
        news = [tag for tag, one in standings.items() if self.standings.get(tag) != one]
        self.standings = standings
        for tag in news:
            for one in self._peers.values():
                one.say(tag)

    def turn(self, now: float) -> list[tuple[Standings, list[Standings]]]:
        """Do what is ready or due; return how each node stood that died, and how those that live.

        It is to be called after all adverts were heard that came in.
        """
        for key, _ in self._selector.select(0):
            key.data(now)
        for one in self._peers.values():
            one.tend(now)
        if self._port is not None and now >= self._port.wake_at:
            self._port.tend(now)
            self._wait()
        if not self._bereaved:
            return []
        died, self._bereaved = self._bereaved, []
        names = {name for name, _ in died}
        living = [one.standings for name, one in self._peers.items() if name not in names]
        return [(said, living) for _, said in died]

    def wake_at(self) -> float:
        """Return when `turn` is next due."""
        port = float("inf") if self._port is None else self._port.wake_at
        return min([port, self._owed, *(one.wake_at() for one in self._peers.values())])

    def stop(self) -> None:
        """End every tether in order."""
        self._close(Reason.STOPPED)
        self._plan = self._port = None

    def watch(self, waited: socket.socket, act: Callable[[float], None], *, out: bool) -> None:
        """Call `act` when a socket can be read, or written."""
        events = selectors.EVENT_WRITE if out else selectors.EVENT_READ
        self._selector.register(waited, events, act)

    def ignore(self, waited: socket.socket) -> None:
        """Wait for it no more."""
        self._selector.unregister(waited)

    def bereave(self, name: str, said: Standings) -> None:
        """Know that a node is dead that stood so."""
        self.count("tether_died")
        self._bereaved.append((name, said))

    def _close(self, reason: Reason) -> None:
        for one in self._peers.values():
            one.close(reason)
        self._peers = {}
        if self._waited is not None:
            self.ignore(self._waited)
            self._waited = None
        if self._port is not None:
            self._port.close()

    def _wait(self) -> None:
        """Wait at the port, or leave who knocks to the kernel for a while."""
        wanted = None if self._port is None else self._port.listening
        if wanted is self._waited:
            return
        if self._waited is not None:
            self.ignore(self._waited)
        if wanted is not None:
            self.watch(wanted, self._admit, out=False)
        self._waited = wanted

    def _admit(self, now: float) -> None:
        if self._port is None:
            return
        peers = {one.address: one for one in self._peers.values()}
        if (admitted := self._port.admit(peers.keys(), now)) is not None:
            connection, address = admitted
            peers[address].accept(connection, now)
        self._wait()


def routers(plan: Plan, name: str) -> dict[bytes, Protection]:
    """Return the routers that a node shares with us."""
    return {tag: bond.protection for tag, bond in plan.bonds.items() if name in bond.peers}


def _port(plan: Plan) -> tuple[object, int]:
    return plan.ends.own, plan.ends.port


def _stays(one: TetherTo, plan: Plan) -> bool:
    return (one.name, one.address) in plan.ends.peers and one.routers == routers(plan, one.name)
