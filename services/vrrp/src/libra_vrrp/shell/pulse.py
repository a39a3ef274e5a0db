"""The machine's side of its guard: what is to happen when it dies, and its signs of life."""

import socket
from collections.abc import Collection, Iterable
from typing import Final, Protocol, TypeAlias

from libra_vrrp import guarding, wills
from libra_vrrp.codec.packet import whole_packet
from libra_vrrp.guarding import (
    LastWord,
    Message,
    Revoked,
    Settled,
    Superseded,
    Tethered,
    Untethered,
    Will,
)
from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Instance, Multicast
from libra_vrrp.renewal import Renew
from libra_vrrp.router import STOPPING, Router, datagrams
from libra_vrrp.routing import Entry
from libra_vrrp.rtnetlink import Target
from libra_vrrp.shell.page import Page
from libra_vrrp.states import Master, State

_OFTEN: Final = 4
"""Signs of life in the shortest interval; each looks at every router."""
_LONGEST: Final = 1.0
"""Seconds that stand for longer intervals, and where nothing is held: leases are shorter."""
_AT_WORK: Final = 0.05
"""Seconds for which advertisements sent, and address work, are a sign of life by themselves."""
_News: TypeAlias = tuple[Router, tuple[Target, ...], tuple[Entry, ...], int | None]


class Routing(Protocol):
    """A virtual router, as far as its guard has to know it."""

    @property
    def order(self) -> Instance:
        """What it was told to be."""

    @property
    def router(self) -> Router:
        """Its parameters as they are now."""

    @property
    def state(self) -> State:
        """Its state."""

    @property
    def held_until(self) -> float:
        """When it steps down, unless the kernel confirms once more what it holds."""


class Pulse:
    """Wills are told before the kernel is asked for an address; what is not heard is said again."""

    def __init__(self, guard: socket.socket, page: Page) -> None:
        self._guard = guard
        self._page = page
        self._told: dict[str, _News] = {}
        self._unsaid: list[bytes] = []
        self._beat_at = 0.0
        self._promised = self.owed_at = float("inf")
        self._is_settled = False

    @property
    def is_waiting(self) -> bool:
        """Whether the guard has not taken everything yet."""
        return bool(self._unsaid)

    def bequeath(self, one: Routing | None, job: Renew, interfaces: Interfaces) -> None:
        """Tell what `one` is about to hold, where that is news."""
        if one is None:
            return
        news = (one.router, job.targets, (*job.entries, *job.left), job.vmac)
        name = one.order.name
        if self._told.get(name) == news:
            return
        self._told[name] = news
        self._say(will_of(one, job, interfaces))
        self._beat_at = 0.0

    def work(self, now: float) -> None:
        """Give a sign of life from the midst of a long round."""
        if self._promised < now + _AT_WORK:
            self._promise(now + _AT_WORK)

    def beat(self, routers: Iterable[Routing], now: float, *, settled: bool) -> None:
        """Give a sign of life at the end of a round, and revoke what is held no more.

        Where one was given a moment ago, the next is owed at `owed_at`, if anything is to be said:
        at the latest when a lease ends, for that is news.
        """
        if now < self._beat_at and settled == self._is_settled:
            is_owed = self._told or self._unsaid or self._promised < float("inf")
            self.owed_at = self._beat_at if is_owed else float("inf")
            return
        masters = {
            one.order.name: (one.state.advert_at, one.router.interval, one.held_until)
            for one in routers
            if isinstance(one.state, Master)
        }
        self._promise(guarding.due(masters.values()))
        shortest = min([_LONGEST, *(every for _, every, _ in masters.values())])
        fences = (until for _, _, until in masters.values())
        self._beat_at, self.owed_at = min([now + shortest / _OFTEN, *fences]), float("inf")
        self._settle(masters.keys(), settled=settled)

    def _settle(self, masters: Collection[str], *, settled: bool) -> None:
        for name in [name for name in self._told if name not in masters]:
            del self._told[name]
            self._say(Revoked(name))
        if settled and not self._is_settled:
            self._is_settled = True
            self._say(Settled())
        self._flush()

    def entrust(self, key: str, connection: socket.socket) -> bool:
        """Have the guard hold a connection too; False where it is not sure to."""
        self._flush()
        if self._unsaid:
            return False
        try:
            socket.send_fds(self._guard, [wills.dumps(Tethered(key))], [connection.fileno()])
        except OSError:
            return False
        return True

    def let_go(self, key: str) -> None:
        """Have the guard hold a connection no more."""
        self._say(Untethered(key))

    def supersede(self, name: str) -> None:
        """Have the guard hold nothing more that our predecessor had with a node."""
        self._say(Superseded(name))

    def rest(self) -> None:
        """Promise nothing more: what follows is an orderly end."""
        self._promise(float("inf"))

    def end(self, left: Collection[str], *, released: bool) -> None:
        """Say, after an orderly end, whether nothing is held any more but what is left."""
        for name in self._told if released else ():
            if name not in left:
                self._say(Revoked(name))

    def _promise(self, at: float) -> None:
        self._page.promised = self._promised = at

    def _say(self, message: Message) -> None:
        self._unsaid += wills.pieces(message)
        self._flush()

    def _flush(self) -> None:
        while self._unsaid:
            try:
                self._guard.send(self._unsaid[0])
            except OSError:  # full for now; a guard that is gone takes this process along
                return
            del self._unsaid[0]


def connect(to_guard: str, page: str) -> Pulse:
    """Return the pulse over the descriptors that the guard passed."""
    guard = socket.socket(fileno=int(to_guard))
    guard.setblocking(False)
    return Pulse(guard, Page(int(page)))


def will_of(one: Routing, job: Renew, interfaces: Interfaces) -> Will:
    """Return what is to be removed, and said with priority 0, in place of a dead master.

    Under a seal nothing can be said ahead that would still be fresh: its peers' timers decide.
    The routing table leads to peers, which may be beyond another interface.
    """
    order, router = one.order, one.router
    link = interfaces.named(order.interface)
    words: tuple[LastWord, ...] = ()
    if link is not None and not (order.seal is not None and order.seal.is_required):
        index = link.index if isinstance(order.channel, Multicast) else 0
        words = tuple(
            LastWord(index, str(word.destination), whole_packet(word))
            for word in datagrams(router, STOPPING)
        )
    entries = (*job.entries, *job.left)
    return Will(order.name, router.interval, job.targets, words, entries, job.vmac)
