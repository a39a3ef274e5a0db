"""The guard: the parent of the machine and the reporter, which acts when the machine cannot.

It starts both again, gives them one line to talk over, and outlives everything else: it imports
almost nothing, and signals wait until it has cleaned up.
"""

import gc
import select
import signal
import time
from collections.abc import Callable
from typing import Final, assert_never

from libra_vrrp import custody
from libra_vrrp.bequest import NEVER, Bequest
from libra_vrrp.custody import Cut, Effect, GiveUp, Hold, Kill, Outlive
from libra_vrrp.guarding import HandOver, Message
from libra_vrrp.reports import Reread
from libra_vrrp.settings import Settings
from libra_vrrp.shell import bequests
from libra_vrrp.shell.child import Child
from libra_vrrp.shell.clean_up import CleanUp
from libra_vrrp.shell.held_tethers import HeldTethers
from libra_vrrp.shell.leaving import AT_ONCE, LATER
from libra_vrrp.shell.machine_line import MachineLine
from libra_vrrp.shell.reporter_line import ReporterLine
from libra_vrrp.shell.say import log
from libra_vrrp.shell.signals import Signals

MACHINE_ENDS: Final = 3.0
REPORTER_ENDS: Final = 8.0
"""Seconds that each child has for its orderly end; the reporter may have to spool last words."""


class Guard:
    """Supervises; it holds the children's line open, so that the death of one breaks nothing.

    The machine that it starts may adopt what `bequest` says; it is told of an unclean exit. `rest`
    is called at the end, when nothing of the machine is left and the reporter has its last words.
    """

    def __init__(
        self,
        settings: Settings,
        bequest: Bequest | None = None,
        unclean_at: float = NEVER,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings, self._unclean_at, self._rest = settings, unclean_at, rest
        self._machine, self._reporter = Child("machine"), Child("reporter")
        self._reports = ReporterLine(self._reporter, settings)
        self._clean_up, self._tethers = CleanUp(), HeldTethers()
        self._signals = Signals(
            signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, AT_ONCE, LATER
        )
        self._poll = select.poll()
        self._poll.register(self._signals.fileno(), select.POLLIN)
        self._line = MachineLine(self._poll, self._tethers)
        self._custody = custody.begin(bequest)
        self._is_ending = False
        self._leaving: signal.Signals | None = None
        self._leaves_at = float("inf")

    def run(self) -> bool:
        """Run until SIGTERM or SIGINT, then end the machine first and the reporter after it.

        On SIGUSR1 and SIGUSR2 leave to a successor what the machine holds, if that can be; say
        whether that one is to be started in our place.
        """
        gc.collect()
        gc.freeze()
        while not self._is_over(time.monotonic()):
            now = time.monotonic()
            self._hear()
            self._watch(now)
            self._tend(now)
            self._wait(self._wake_at(now))
        if self._is_ending or self._leaving is None:
            self._end()
            return False
        self._leave(self._leaving)
        return not self.is_taken_back() and self._leaving == AT_ONCE

    def _is_over(self, now: float) -> bool:
        """Say whether nothing is left to wait for.

        Before a start in place the reporter ends first: there is no time for it afterwards.
        """
        is_left = self._leaving == LATER or (self._leaving and not self._reporter.runs)
        return bool(self._is_ending or is_left) or now >= self._leaves_at

    def _hear(self) -> None:
        """Take in what the machine has said."""
        for message in self._line.heard():
            self._take(message, time.monotonic())

    def _take(self, message: Message, now: float) -> None:
        started_at = self._machine.started_at
        self._custody, effects = custody.hear(self._custody, message, started_at, now)
        self._perform(effects)

    def _watch(self, now: float) -> None:
        promised, runs = self._line.promised, self._machine.runs
        self._custody, effects = custody.watch(self._custody, promised, now, runs=runs)
        self._perform(effects)

    def _tend(self, now: float) -> None:
        self._bury(now)
        self._reporter.has_ended(now)
        for child, start in (
            (self._machine, self._start_machine),
            (self._reporter, self._reports.start),
        ):
            try:
                if not child.runs and now >= child.start_at:
                    start(now)
            except OSError as refused:  # no process, no descriptor, no memory: for now
                child.put_off(str(refused), now)
            child.reap()

    def _bury(self, now: float) -> None:
        if not self._machine.has_ended(now):
            return
        self._hear()
        promised, start_at = self._line.promised, self._machine.start_at
        self._line.forget()
        self._custody, effects = custody.bury(self._custody, promised, now, start_at)
        self._perform(effects)

    def _start_machine(self, now: float) -> None:
        """Start it with a line to us and a page that we share; raise `OSError`."""
        with self._line.opened() as lent:
            passed = [self._reports.machines.fileno(), *lent]
            self._machine.start(self._arguments(passed), passed, now)

    def _arguments(self, passed: list[int]) -> list[str]:
        died_at = NEVER if self._custody.died_at is None else self._custody.died_at
        return [str(self._settings.routers), *map(str, [*passed, died_at, self._unclean_at])]

    def _perform(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case Kill():
                    log("the machine is silent, killing it", "error", pid=self._machine.pid)
                    self._machine.kill()
                case GiveUp(lost=lost, why=why):
                    self._hand_over(lost, why)
                case Hold(tether=tether):
                    self._tethers.take(tether)
                case Outlive():
                    self._tethers.outlive()
                case Cut():
                    self._tethers.cut()
                case _:
                    assert_never(effect)

    def _hand_over(self, lost: HandOver, why: str) -> None:
        addresses = sorted({str(one.address) for one in lost.targets})
        routes = {"routes": [one.said for one in lost.entries]} if lost.entries else {}
        self._clean_up.perform(lost)
        log("handed over for the machine", "warning", why=why, addresses=addresses, **routes)

    def _wake_at(self, now: float) -> float:
        starts = [c.start_at for c in (self._machine, self._reporter) if not c.runs]
        due = custody.deadline(self._custody, self._line.promised)
        own = now + 3600.0, self._leaves_at, self._reports.due_at(now)
        return min([due, *own, *starts])

    def _wait(self, planned: float) -> None:
        """Wait for a word, a signal or the time; note where we ourselves were held up."""
        ready = self._poll.poll(max(planned - time.monotonic(), 0.0) * 1000)
        self._custody = custody.woken(self._custody, planned, time.monotonic())
        if any(descriptor == self._signals.fileno() for descriptor, _ in ready):
            self._obey(self._signals.caught())
        self._reports.flush()

    def _obey(self, caught: set[int]) -> None:
        self._is_ending |= bool(caught & {signal.SIGTERM, signal.SIGINT})
        if signal.SIGHUP in caught:
            self._reports.say(Reread())
        if caught & {AT_ONCE, LATER} and self._leaving is None:
            self._leaving = AT_ONCE if AT_ONCE in caught else LATER
            log("told to leave", signal=self._leaving.name)
        if self._leaving == AT_ONCE and self._leaves_at == float("inf"):
            self._leaves_at = time.monotonic() + REPORTER_ENDS
            self._reports.retire()

    def _end(self) -> None:
        """End the children in order, and clean up what the machine did not."""
        self._machine.send(signal.SIGTERM)
        self._machine.await_end(MACHINE_ENDS)
        self._hear()
        self._give_up()
        self._rest()
        self._reports.dismiss(REPORTER_ENDS)

    def _leave(self, told: signal.Signals) -> None:
        """End the machine, and leave what it held; where that cannot be, give it up."""
        if told == AT_ONCE:
            self._reporter.await_end(0.0)
        told_at = time.monotonic()
        is_in_order = self._ends_in_order(told)
        self._hear()
        now = time.monotonic()
        if is_in_order:
            at_once = told == AT_ONCE
            self._custody, effects = custody.leave(self._custody, told_at, now, at_once=at_once)
            self._perform(effects)
        left = self._custody.ward.left
        if not (is_in_order and self._bequeath(told_at)):
            left = {}
            self._give_up()
        bequests.tell(left, now, is_followed=told == AT_ONCE)
        if told == LATER:
            self._rest()
            now = time.monotonic()  # a slow disk had its time
            patience = (max(one.until - now, 0.0) / 2 for one in left.values())
            self._reports.dismiss(min([REPORTER_ENDS, *patience]))

    def _ends_in_order(self, told: signal.Signals) -> bool:
        """End the machine; what one left that was killed waits for the next, if it comes."""
        if not self._machine.runs:
            return told == AT_ONCE
        self._machine.send(told)
        self._custody = custody.told(self._custody)
        return self._machine.await_end(MACHINE_ENDS)

    def _bequeath(self, told_at: float) -> bool:
        """Leave what can be adopted, and no end of a tether that a peer would notice."""
        bequest = custody.bequest(self._custody, bequests.place(), told_at, self._unclean_at)
        if not bequests.leave(self._settings.bequest, bequest):
            return False
        self._tethers.forsake()
        return True

    def is_taken_back(self) -> bool:
        """Say whether we were told to end after all; then nothing is left to anybody."""
        if is_told := bool(self._signals.caught() & {signal.SIGTERM, signal.SIGINT}):
            self.take_back()
        return is_told

    def take_back(self) -> None:
        """Give up what was left, unless a successor has it already."""
        if bequests.withdraw(self._settings.bequest):
            self._give_up()

    def _give_up(self) -> None:
        """Give up what the machine held, or left; peers that it said no bye to are told so."""
        self._perform(custody.end(self._custody, self._line.promised, time.monotonic()))
