"""The machine process: one loop over sockets and timers for every virtual router of the node.

It imports neither nats nor pydantic, reads its routers from a file that the reporter keeps, and
goes on as it is whatever happens to the reporter. In every round it fences first, then hears what
came in, and only then lets timers elapse.
"""

import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from libra_runtime.outlet import Outlet
from libra_vrrp.codec import Datagram
from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Instance
from libra_vrrp.renewal import Cleared, Job, Renew
from libra_vrrp.reports import Report
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell.addresses import AddressThread
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.asking import ask, due_at
from libra_vrrp.shell.bell import Bell
from libra_vrrp.shell.claim import Claim
from libra_vrrp.shell.figures import Figures
from libra_vrrp.shell.hearing import hear
from libra_vrrp.shell.last_look import may_say, veiled
from libra_vrrp.shell.leaving import AT_ONCE, LATER, leave
from libra_vrrp.shell.link import Announcer, Link
from libra_vrrp.shell.links import Links
from libra_vrrp.shell.obeying import obey
from libra_vrrp.shell.privileges import die_with_parent, urgent
from libra_vrrp.shell.pulse import Pulse, connect
from libra_vrrp.shell.roster import Roster
from libra_vrrp.shell.say import begin, log
from libra_vrrp.shell.seals import Seals, starts_of
from libra_vrrp.shell.signals import Signals
from libra_vrrp.shell.speech import Speech
from libra_vrrp.shell.talk import Talk
from libra_vrrp.shell.tethering import arrange, attend
from libra_vrrp.shell.tethers import Tethers
from libra_vrrp.shell.upkeep import Upkeep
from libra_vrrp.shell.vmacs import Vmacs
from libra_vrrp.shell.watch import Watch

STATISTICS_EVERY: Final = 2.0
SHARE: Final = 0.0001
"""Seconds that a thread may compute while the loop wants to go on; Python's own are 5 ms."""
LAST_WORDS: Final = 1.0
"""Seconds that an orderly stop may take for its address work."""


class Machine:
    """Everything that the virtual routers of a node share."""

    def __init__(self, roster: Roster, talk: Talk, pulse: Pulse, outlet: Outlet) -> None:
        self._roster, self._talk, self._pulse = roster, talk, pulse
        self._selector = selectors.DefaultSelector()
        self._aside = Aside()
        self._watch = Watch(self._aside, self._watch_opened, self._closing)
        self.links = Links(self._aside, self._opened, self._closing)
        self.claim, self._announcer = Claim(), Announcer()
        self._speech = Speech(self.links, self._announcer)
        self.vmacs = Vmacs(self._aside, self.work, self.links.look_at)
        self._upkeep = Upkeep(roster, self, self._aside)
        self._addresses = AddressThread()
        self._bell = Bell(self.tell)
        self.seals = Seals(starts_of(roster.file), self, self._await, self._look)
        self._figures = Figures(outlet)
        self._tethers = Tethers(os.environ.get("LIBRA_NODE", ""), pulse, self.count)
        self._statistics_at, self._stopping, self._leaving = 0.0, False, frozenset[int]()
        self._signals = Signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, AT_ONCE, LATER)
        self._await(self._signals.fileno(), self._signalled)
        self._await(self._aside.fileno(), self._aside.follow_up)
        self._await(self._watch.fileno(), self._kernel_says)
        self._await(self._addresses.fileno(), self._addresses_done)
        self._await(self._talk.fileno(), self._reporter_says)
        self._await(self._tethers.fileno(), lambda _: None)  # attended to in every round

    @property
    def interfaces(self) -> Interfaces:
        """What the kernel's interfaces are now."""
        return self._watch.interfaces

    @property
    def virtual(self) -> frozenset[IpAddress]:
        """Every virtual address of this node."""
        return self._roster.virtual()

    def send(self, order: Instance, datagram: Datagram) -> bool:
        """Send what a router says, under its seal if it has one."""
        now = time.monotonic()
        self._pulse.work(now)
        one = self._roster.get(order.name)
        dressed = self.seals.dress(order, datagram, now) if may_say(one, datagram, now) else ()
        is_veiled = veiled(one, datagram, now)
        return self._speech.put(order, dressed, veiled=is_veiled)

    def announce(self, interface: str, frame: bytes, until: float) -> bool:
        """Send a frame that tells the neighbours whose an address is, until the fence."""
        return time.monotonic() < until and self._announcer.send(interface, frame)

    def work(self, job: Job) -> None:
        """Have address work done by the thread, once the guard knows what may come of it."""
        self._pulse.work(time.monotonic())
        if isinstance(job, Renew):
            self._pulse.bequeath(self._roster.get(job.instance), job, self.interfaces)
        self._addresses.do(job)

    def tell(self, report: Report) -> None:
        """Spool a report for the reporter."""
        self._talk.tell(report)

    def count(self, name: str) -> None:
        """Count something."""
        self._figures.count(name)

    def alarm(
        self, instance: str, kind: str, peer: IpAddress | None, detail: str, reason: str = ""
    ) -> None:
        """Report an alarm, at most one of a cause in ten seconds."""
        self.count(f"alarm_{kind}")
        self._bell.ring(instance, kind, peer, detail, reason)

    def run(self) -> None:
        """Work until told to stop; then hand over in order."""
        self._reload(time.monotonic())
        gc.collect()
        gc.freeze()
        self._figures.note("gc_frozen", gc.get_freeze_count())
        while not self._stopping:
            self._round()
        self._pulse.rest()
        left = leave(self._roster, self._leaving)
        self._roster.stop(time.monotonic(), left)
        if self.claim.is_held and not self._leaving:  # else a successor takes them, or sweeps
            self.vmacs.stop(self.interfaces)
        self._tethers.stop()
        released = self._addresses.finish(LAST_WORDS)
        self._pulse.end(left, released=released)
        self._talk.flush()
        if left and not released:
            sys.exit("address work is still under way: nothing can be left to a successor")

    def _round(self) -> None:
        ready = self._selector.select(max(self._wake_at() - time.monotonic(), 0))
        acts = [*(key.data for key, _ in ready), self._attend]
        self._figures.late(self._roster.turn(acts, time.monotonic))
        now = time.monotonic()
        if now >= self.links.retry_at:
            self._look(now)
        ask(self._roster, self, now)
        if now >= self._statistics_at:
            self._statistics_at = now + STATISTICS_EVERY
            self._talk.mention(self._figures.report())
            for one in self._roster:
                one.telling.follow(one.name, one.state)
        self._talk.flush()
        self._pulse.beat(self._roster, now, settled=self._roster.is_settled)

    def _attend(self, now: float) -> None:
        attend(self._tethers, self._roster, self, now)

    def _wake_at(self) -> float:
        dues = (one.wake_at() for one in self._roster)
        own = self.links.retry_at, self._statistics_at, self._pulse.owed_at
        return min(*own, due_at(self._roster, self), self._tethers.wake_at(), *dues)

    def _reload(self, now: float) -> None:
        self._roster.reload(self, now)
        self._relink(now)

    def _relink(self, now: float) -> None:
        self.links.reconcile({one.order.channel for one in self._roster}, self.interfaces)
        self._roster.start(self, self.links, now)
        self._upkeep.look(now)
        arrange(self._tethers, self._roster, self, now)

    def _kernel_says(self, now: float) -> None:
        if (about := self._watch.read()) is None or not about <= self.virtual:
            self._look(now)

    def _look(self, now: float) -> None:
        self._relink(now)
        for one in self._roster:
            self._pulse.work(time.monotonic())
            one.look(now)

    def _addresses_done(self, now: float) -> None:
        for outcome in self._addresses.outcomes():
            if isinstance(outcome, Cleared):
                self._upkeep.cleared(outcome, now)
            elif one := self._roster.get(outcome.renew.instance):
                one.done(outcome, now)

    def _reporter_says(self, now: float) -> None:
        try:
            for order in self._talk.heard():
                obey(order, self._roster, self._talk, self._reload, now)
        except EOFError:
            self._selector.unregister(self._talk.fileno())

    def _watch_opened(self, now: float) -> None:
        self._await(self._watch.fileno(), self._kernel_says)
        self._look(now)

    def _opened(self, link: Link, now: float) -> None:
        self._await(link.fileno(), lambda then: hear(link, self._roster, self, then))
        self._roster.start(self, self.links, now)
        for one in self._roster.on(link.channel):
            one.look(now)

    def _closing(self, source: Link | Watch) -> None:
        self._selector.unregister(source.fileno())

    def _await(self, descriptor: int, act: Callable[[float], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, act)

    def _signalled(self, now: float) -> None:
        caught = self._signals.caught()
        self._leaving = frozenset(caught & {AT_ONCE, LATER})
        self._stopping = bool(caught & {signal.SIGTERM, signal.SIGINT} or self._leaving)
        if signal.SIGHUP in caught and not self._stopping:
            self._reload(now)


def main(arguments: list[str]) -> None:
    """Run the machine: ROUTERS-FILE REPORTER-FD GUARD-FD PAGE-FD [DIED-AT [UNCLEAN-AT]]."""
    die_with_parent(signal.SIGTERM)
    sys.setswitchinterval(SHARE)
    notices, outlet = urgent(), begin()
    for notice in notices:
        log(notice, "warning")
    routers, to_reporter, to_guard, page, *times = arguments
    talk = Talk(socket.socket(fileno=int(to_reporter)))
    roster = Roster(Path(routers), *map(float, times))
    log("the machine works", pid=os.getpid())
    Machine(roster, talk, connect(to_guard, page), outlet).run()
