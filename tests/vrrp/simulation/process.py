"""One life of a machine process: production's routers, on the ground of the simulation.

It does what `libra_vrrp.shell.machine` does with its sockets: a turn of the roster whenever
something came in or is due.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from ipaddress import ip_address
from pathlib import Path
from typing import cast

from tests.vrrp.simulation.conduct import Conduct
from tests.vrrp.simulation.sealed import Sealed
from tests.vrrp.simulation.stand_ins import Alone, Kept, Opening, Socket, Surroundings, Unveiled
from tests.vrrp.simulation.thread import Thread

from libra_vrrp.codec import Datagram, decode
from libra_vrrp.contribution import Contribution, Moved
from libra_vrrp.interfaces import fold
from libra_vrrp.orders import Instance, Tracked
from libra_vrrp.renewal import Job, Laid, Outcome, Renew
from libra_vrrp.reports import Report, Transition
from libra_vrrp.router import FRESH
from libra_vrrp.rtnetlink import AddressGone, AddressHeld, IpAddress, Said
from libra_vrrp.seal.datagram import is_sealed
from libra_vrrp.shell.asking import ask, due_at
from libra_vrrp.shell.claim import Claim
from libra_vrrp.shell.hearing import hear
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.links import Links
from libra_vrrp.shell.roster import Roster
from libra_vrrp.shell.seals import Seals
from libra_vrrp.shell.tethering import orphaned, tag_of
from libra_vrrp.shell.virtual_router import VirtualRouter
from libra_vrrp.shell.vmacs import Vmacs
from libra_vrrp.states import Input, Orphaned
from libra_vrrp.tether.rank import Standings

decoded = lru_cache(maxsize=4096)(decode)
LAST_WORDS = 1.0
OPENING = 0.02
"""Seconds that it takes to open the sockets, at most."""


class Process:
    """`died_at` is when the one before ended; None where nobody saw it."""

    def __init__(self, host: Surroundings, died_at: float | None) -> None:
        self.claim: Claim = Alone()
        self.seals: Seals = Sealed(
            host.name, self, lambda _: self.post(self._changed), self._opens, self.clock
        )
        self.is_paused = self.is_dead = self.is_stopping = False
        self.interfaces = host.kernel.listing()
        self.roster = Roster(cast("Path", Kept(host.orders)), died_at, host.unclean_at)
        self.conduct = Conduct(host.name, host.homes, host.orders, died_at, host.unclean_at)
        self._channels = {one.family: one.channel for one in host.orders}
        self._host = host
        self._engine = host.engine
        self._opening = Opening()
        self.links = cast("Links", self._opening)
        self.vmacs = cast("Vmacs", Unveiled())
        self._thread = Thread(self, host.kernel)
        self._inbox: list[Callable[[float], None]] = []
        self._thaw: list[Callable[[], None]] = []
        self._due = 0
        self._due_at = float("inf")
        self._stale: float | None = None
        self.roster.reload(self, self.clock())
        self._engine.after(host.dice.uniform(0, OPENING), lambda: self.post(self._opened))

    # -- the Ground of production's routers

    @property
    def virtual(self) -> frozenset[IpAddress]:
        return self.roster.virtual()

    def send(self, order: Instance, datagram: Datagram) -> bool:
        now = self._host.clock.at(self._engine.now)
        if datagram.message:
            said = decoded(datagram).advertisement
            self.conduct.says(said, now)
            self._engine.note(self._host.name, f"says priority {said.priority} (vrid {said.vrid})")
        dressed = self.seals.dress(order, datagram, now)
        return bool(dressed) and all(map(self._host.transmit, dressed))

    def announce(self, interface: str, frame: bytes, until: float) -> bool:  # noqa: ARG002 - likewise
        self.conduct.announces(_announced(frame), self._host.clock.at(self._engine.now))
        return True

    def work(self, job: Job) -> None:
        if isinstance(job, Renew):
            self.conduct.asks(job)
        self._thread.do(job)

    def tell(self, report: Report) -> None:
        if isinstance(report, Transition):
            self._engine.note(
                self._host.name, f"reports {report.instance} {report.state}: {report.why}"
            )

    def alarm(self, instance: str, kind: str, peer: IpAddress | None, detail: str) -> None:
        self._engine.note(self._host.name, f"alarm {kind} of {peer} ({instance}): {detail}")

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
            self._arrange(self._engine.now)

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
            self.roster.start(self, self.links, now)
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

    def bereave(self, lost: Standings, living: Sequence[Standings]) -> None:
        """Have the tether to a node tell that it is dead."""

        def act(now: float) -> None:
            tied = {tag_of(one.order): one for one in self.roster}
            for tag, rank in orphaned(tied, lost, living).items():
                self._look(tied[tag])
                self.conduct.inherits(tied[tag].name, rank, now)
                tied[tag].give(Orphaned(rank), now)

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
        self.is_paused = True

    def resume(self, *, stale: float | None) -> None:
        """Let it go on (SIGCONT); `stale` is what it had read of the clock before it stopped."""
        self.is_paused = False
        self._stale = stale
        waiting, self._thaw = self._thaw, []
        for act in waiting:
            act()
        self._due_at = float("inf")
        self._arrange(self._engine.now)

    def kill(self) -> None:
        """End it without a word (SIGKILL)."""
        self.is_dead = True

    def stop(self) -> None:
        """End it in order (SIGTERM): hand over, finish the address work."""
        now = self.clock()
        self.is_stopping = True
        self.roster.stop(now)
        self._engine.after(LAST_WORDS, self.kill)

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

    def _changed(self, now: float) -> None:
        """Do what follows where something of a seal was read."""
        self.roster.start(self, self.links, now)
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

    def _arrange(self, when: float) -> None:
        late = when + self._host.dice.uniform(1e-6, self._host.lateness)
        if late < self._due_at:
            self._due += 1
            self._due_at = late
            self._engine.at(late, partial(self._turn, self._due))

    def _turn(self, due: int) -> None:
        if due != self._due or self.is_dead or self.is_paused or self.is_stopping:
            return
        self._due_at = float("inf")
        ready, self._inbox = self._inbox, []
        self.roster.turn(ready, self.clock)
        for one in self.roster:
            self._look(one)
        self.conduct.finish(self.roster)
        ask(self.roster, self, self.clock())
        at = min(due_at(self.roster, self), *(one.wake_at() for one in self.roster))
        self._arrange(max(self._host.clock.world(at), self._engine.now))


def _announced(frame: bytes) -> IpAddress:
    """Return the address that an ARP (RFC 5227) or a neighbour advertisement (RFC 4861) is of."""
    is_arp = frame[12:14] == b"\x08\x06"
    return ip_address(frame[28:32] if is_arp else frame[62:78])
