"""One life of a machine process: production's routers, on the ground of the simulation.

It does what `libra_vrrp.shell.machine` does with its sockets: a turn of the roster whenever
something came in or is due.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tests.vrrp.simulation.conduct import Conduct
from tests.vrrp.simulation.plugs import Line, Plugs
from tests.vrrp.simulation.rounds import Rounds
from tests.vrrp.simulation.sealed import Sealed
from tests.vrrp.simulation.stand_ins import (
    Claimed,
    Kept,
    Opening,
    Page,
    Socket,
    Surroundings,
    Unveiled,
)
from tests.vrrp.simulation.thread import Thread
from tests.vrrp.simulation.tied import Tied

from libra_vrrp.codec import Datagram, decode
from libra_vrrp.contribution import Contribution, Moved
from libra_vrrp.interfaces import fold
from libra_vrrp.orders import Instance, Tracked
from libra_vrrp.renewal import Job, Laid, Outcome, Renew
from libra_vrrp.reports import Report, Transition
from libra_vrrp.router import FRESH
from libra_vrrp.rtnetlink import AddressGone, AddressHeld, IpAddress, Said
from libra_vrrp.seal.datagram import QUESTION, is_sealed
from libra_vrrp.shell.asking import ask, due_at
from libra_vrrp.shell.claim import Claim
from libra_vrrp.shell.hearing import hear
from libra_vrrp.shell.last_look import may_say
from libra_vrrp.shell.leaving import leave
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.links import Links
from libra_vrrp.shell.pulse import Pulse
from libra_vrrp.shell.roster import Roster
from libra_vrrp.shell.seals import Seals
from libra_vrrp.shell.tethering import arrange, attend
from libra_vrrp.shell.virtual_router import VirtualRouter
from libra_vrrp.shell.vmacs import Vmacs
from libra_vrrp.states import Input
from libra_vrrp.tether.rank import Standings

if TYPE_CHECKING:
    from socket import socket

    from libra_vrrp.shell.page import Page as SharedPage

decoded = lru_cache(maxsize=4096)(decode)
LAST_WORDS = 1.0
OPENING = 0.02
"""Seconds that it takes to open the sockets, at most."""


class Process:
    """`times` are when the one before ended, and when the service began after an unclean exit.

    `ended` is called once, with the exit status (negative for a signal).
    """

    def __init__(
        self,
        host: Surroundings,
        times: tuple[float, ...],
        plugs: Plugs,
        line: Line,
        page: Page,
        ended: Callable[[int], None],
    ) -> None:
        self.claim: Claim = Claimed(host.machines, self)
        self.seals: Seals = Sealed(
            host.name, self, lambda _: self.post(self._changed), self._opens, self.clock
        )
        self.is_paused = self.is_dead = self.is_stopping = self.is_told = False
        self.interfaces = host.kernel.listing()
        self.roster = Roster(cast("Path", Kept(host.orders)), *times)
        self.conduct = Conduct(host.name, host.homes, host.orders, *times)
        self.plugs, self._ended = plugs, ended
        self._pulse = Pulse(cast("socket", line), cast("SharedPage", page))
        self._tethers = Tied(host, self._pulse, plugs, self._bereaved)
        self._channels = {one.family: one.channel for one in host.orders}
        self._host = host
        self._engine = host.engine
        self._opening = Opening()
        self.links = cast("Links", self._opening)
        self.vmacs = cast("Vmacs", Unveiled())
        self._thread = Thread(self, host.kernel)
        self._inbox: list[Callable[[float], None]] = []
        self._thaw: list[Callable[[], None]] = []
        self._rounds = Rounds(host, self._may, self._turn)
        self._stale: float | None = None
        self.works_since = host.engine.now

    def begin(self) -> None:
        """Read the list of routers, and start them once the sockets are open."""
        self.roster.reload(self, self.clock())
        self._relink(self.clock())
        self._engine.after(self._host.dice.uniform(0, OPENING), lambda: self.post(self._opened))

    # -- the Ground of production's routers

    @property
    def virtual(self) -> frozenset[IpAddress]:
        return self.roster.virtual()

    def send(self, order: Instance, datagram: Datagram) -> bool:
        now = self._host.clock.at(self._engine.now)
        self._pulse.work(now)
        if datagram.message and datagram.message != QUESTION:
            said = decoded(datagram).advertisement
            self.conduct.says(said, now)
            self._engine.note(self._host.name, f"says priority {said.priority} (vrid {said.vrid})")
        is_said = may_say(self.roster.get(order.name), datagram, now)
        dressed = self.seals.dress(order, datagram, now) if is_said else ()
        return bool(dressed) and all(map(self._host.transmit, dressed))

    def announce(self, interface: str, frame: bytes, until: float) -> bool:  # noqa: ARG002 - likewise
        self.conduct.announces(_announced(frame), self._host.clock.at(self._engine.now))
        return True

    def work(self, job: Job) -> None:
        self._pulse.work(self._host.clock.at(self._engine.now))
        if isinstance(job, Renew):
            self.conduct.asks(job)
            self._pulse.bequeath(self.roster.get(job.instance), job, self.interfaces)
        self._thread.do(job)

    def tell(self, report: Report) -> None:
        if isinstance(report, Transition):
            self._engine.note(
                self._host.name, f"reports {report.instance} {report.state}: {report.why}"
            )

    def alarm(
        self, instance: str, kind: str, peer: IpAddress | None, detail: str, reason: str = ""
    ) -> None:
        what = f"{kind} {reason}".rstrip()
        self._engine.note(self._host.name, f"alarm {what} of {peer} ({instance}): {detail}")

    def count(self, name: str) -> None:
        pass

    # -- its life

    def clock(self) -> float:
        """Read the clock; one who was stopped right after reading it goes on with the old time."""
        stale, self._stale = self._stale, None
        return self._host.clock.at(self._engine.now) if stale is None else stale

    def post(self, act: Callable[[float], None]) -> None:
        """Have something ready for the next turn."""
        if not self.is_dead:
            self._inbox.append(act)
            self._rounds.arrange(self._engine.now)

    def receive(self, datagram: Datagram) -> None:
        """Have a datagram in the socket."""
        self.post(partial(self._hear, datagram))

    def kernel_says(self, said: Said) -> None:
        """Have news of the kernel in the socket."""
        self.post(partial(self._take_in, said))

    def reload(self, orders: tuple[Instance, ...]) -> None:
        """Read another list of routers, as for a signal or a word of the reporter."""

        def act(now: float) -> None:
            for one in self.roster:
                self._look(one)
            self.conduct.reorder(orders)
            self.roster.file = cast("Path", Kept(orders))
            self.roster.reload(self, now)
            self._relink(now)
            for one in self.roster:
                self._look(one)
            self._host.obeyed(None)

        self.post(act)

    def instruct(self, name: str, given: Input) -> None:
        """Hand an input in, as the reporter's orders do."""

        def act(now: float) -> None:
            router = self._router(name)
            self._look(router)
            self.conduct.told(name, given, now)
            self._host.obeyed(given)
            router.give(given, now)
            self._look(router)

        self.post(act)

    def weigh(self, name: str, delta: int) -> None:
        """Let a tracked object move the priority."""

        def act(now: float) -> None:
            self.conduct.weighs(name, delta)
            by = Contribution(delta, "the simulation wants it")
            self._router(name).track(Tracked(name, (Moved("service.web", by),)), now)

        self.post(act)

    def cover(self, *, synced: bool) -> None:
        """Tell how good the copy of the peer's connections is."""

        def act(now: float) -> None:
            for one in self.roster:
                self.conduct.covers(one.order.name, synced=synced)
            self.roster.cover(FRESH if synced else 0.5, now)

        self.post(act)

    def pause(self) -> None:
        """Stop it (SIGSTOP): nothing of it goes on, and its clock does."""
        self.is_paused, self.works_since = True, float("inf")

    def resume(self, *, stale: float | None) -> None:
        """Let it go on (SIGCONT); `stale` is what it had read of the clock before it stopped."""
        self.is_paused, self.works_since = False, self._engine.now
        self._stale = stale
        waiting, self._thaw = self._thaw, []
        for act in waiting:
            act()
        self._rounds.forget()
        self._rounds.arrange(self._engine.now)

    def wake(self) -> None:
        """Have a turn, for there may be something to read."""
        if not self.is_dead:
            self._rounds.arrange(self._engine.now)

    def kill(self, status: int = -9) -> None:
        """End it without a word (SIGKILL); the kernel closes what it had open."""
        if not self.is_dead:
            self.is_dead = True
            self.plugs.close()
            self._ended(status)

    def stop(self, told: frozenset[int] = frozenset()) -> None:
        """End it in order, or leave what it holds to a successor, as `leaving` says."""
        if not self.is_told:
            self.is_told = True
            self.post(partial(self._stop, told))

    def _stop(self, told: frozenset[int], _now: float) -> None:
        self.is_stopping = True
        self._engine.after(0, partial(self.when_running, partial(self._end, told)))

    def _end(self, told: frozenset[int]) -> None:
        """Do what the machine does at its end; its address work has a second."""
        self._pulse.rest()
        for one in self.roster:
            self._look(one)
        left = leave(self.roster, told)
        self.roster.stop(self.clock(), left)
        self._host.changed()
        self._tethers.stop()

        def finish(*, released: bool) -> None:
            if not self.is_dead:
                self._pulse.end(left, released=released)
                self.kill(int(bool(left) and not released))

        self._thread.when_idle(lambda: finish(released=True))
        self._engine.after(LAST_WORDS, partial(self.when_running, partial(finish, released=False)))

    def when_running(self, act: Callable[[], None]) -> None:
        """Do it now, or when the process goes on; never, when it has ended."""
        if self.is_paused:
            self._thaw.append(lambda: self.when_running(act))
        elif not self.is_dead:
            act()

    def finished(self, outcome: Outcome | Laid) -> None:
        """Have the outcome of a renewal ready."""
        self.post(partial(self._done, outcome))

    def _look(self, router: VirtualRouter) -> None:
        if self.conduct.look(router, self._host.clock.at(self._engine.now)):
            self._host.changed()
            self._host.entered(router.state)

    def _router(self, name: str) -> VirtualRouter:
        found = self.roster.get(name)
        assert found is not None
        return found

    def _opened(self, now: float) -> None:
        self._opening.is_open = True
        self.roster.start(self, self.links, now)

    def _relink(self, now: float) -> None:
        self._opening.retry_at = float("inf")
        self.roster.start(self, self.links, now)
        arrange(self._tethers, self.roster, self, now)

    def is_tied_to(self, name: str) -> bool:
        """Say whether the death of a node would be told now: not again soon after one that was."""
        return self._tethers.is_tied_to(name, self._host.clock.at(self._engine.now))

    def _attend(self, now: float) -> None:
        attend(self._tethers, self.roster, self, now)

    def _bereaved(self, lost: Standings, living: list[Standings], now: float) -> None:
        """Note a death before the routers hear of it."""
        for one in self.roster:
            self._look(one)
        self.conduct.bereaved(lost, living, now)

    def _changed(self, now: float) -> None:
        """Do what follows where something of a seal was read."""
        self._relink(now)
        for one in self.roster:
            one.look(now)
            self._look(one)

    def _opens(self, name: str, datagram: Datagram, now: float) -> None:
        """Note what a sealed datagram hid, before it is handed in."""
        self._look(self._router(name))
        self.conduct.hears(name, decoded(datagram), now)

    def _hear(self, datagram: Datagram, now: float) -> None:
        if not self._opening.is_open:
            return
        channel = self._channels[datagram.source.version]
        if not is_sealed(datagram.message):
            one = self.roster.at(channel, decoded(datagram).advertisement.vrid)
            if one is not None:
                self._opens(one.order.name, datagram, now)
        hear(cast("Link", Socket(channel, datagram)), self.roster, self, now)
        for one in self.roster:
            self._look(one)

    def _take_in(self, said: Said, now: float) -> None:
        self.interfaces = fold(self.interfaces, [said])
        is_ours = isinstance(said, AddressHeld | AddressGone) and said.address in self.virtual
        if not is_ours:
            for one in self.roster:
                one.look(now)
                self._look(one)

    def _done(self, outcome: Outcome | Laid, now: float) -> None:
        router = self._router(outcome.renew.instance)
        self._look(router)
        if isinstance(outcome, Outcome):
            self.conduct.renewed(outcome)
        router.done(outcome, now)

    def _may(self) -> bool:
        return not (self.is_dead or self.is_paused or self.is_stopping)

    def _turn(self) -> None:
        ready, self._inbox = self._inbox, []
        self.roster.turn([*ready, self._attend], self.clock)
        for one in self.roster:
            self._look(one)
        now = self.clock()
        self.conduct.finish(self.roster, now)
        if now >= self.links.retry_at:
            self._changed(now)
        ask(self.roster, self, now)
        self._pulse.beat(self.roster, now, settled=self.roster.is_settled)
        if self.is_stopping:
            return
        own = self._pulse.owed_at, self._tethers.wake_at(), self.links.retry_at
        at = min(due_at(self.roster, self), *own, *(one.wake_at() for one in self.roster))
        self._rounds.arrange(max(self._host.clock.world(at), self._engine.now))


def _announced(frame: bytes) -> IpAddress:
    """Return the address that an ARP (RFC 5227) or a neighbour advertisement (RFC 4861) is of."""
    is_arp = frame[12:14] == b"\x08\x06"
    return ip_address(frame[28:32] if is_arp else frame[62:78])
