"""The guard: the parent of the machine and the reporter, which acts when the machine cannot.

It starts both again, gives them one line to talk over, and outlives everything else: it imports
almost nothing, and signals wait until it has cleaned up.
"""

import contextlib
import gc
import select
import signal
import socket
import time
from typing import Final

from libra_vrrp import guarding, reports
from libra_vrrp.bequest import Bequest
from libra_vrrp.guarding import HandOver, Settled, Superseded, Tethered, Untethered, Ward
from libra_vrrp.reports import Farewell, Numbered
from libra_vrrp.settings import Settings
from libra_vrrp.shell import bequests
from libra_vrrp.shell.child import Child
from libra_vrrp.shell.clean_up import CleanUp
from libra_vrrp.shell.held_tethers import HeldTethers
from libra_vrrp.shell.leaving import AT_ONCE, LATER
from libra_vrrp.shell.machine_line import MachineLine
from libra_vrrp.shell.privileges import early, ordinary
from libra_vrrp.shell.say import log
from libra_vrrp.shell.signals import Signals

MACHINE_ENDS: Final = 3.0
REPORTER_ENDS: Final = 8.0
"""Seconds that each child has for its orderly end; the reporter may have to spool last words."""


class Guard:
    """Supervises; it holds the children's line open, so that the death of one breaks nothing.

    The machine that it starts may adopt what `bequest` says.
    """

    def __init__(self, settings: Settings, bequest: Bequest | None = None) -> None:
        self._settings = settings
        self._to_machine, self._to_reporter = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )
        self._machine, self._reporter = Child("machine"), Child("reporter")
        self._clean_up, self._tethers = CleanUp(), HeldTethers()
        self._signals = Signals(
            signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, AT_ONCE, LATER
        )
        signal.pthread_sigmask(signal.SIG_SETMASK, [])  # see service._start_again
        self._poll = select.poll()
        self._poll.register(self._signals.fileno(), select.POLLIN)
        self._line = MachineLine(self._poll, self._tethers)
        left = () if bequest is None else bequest.left
        self._ward = Ward(left={estate.will.instance: estate for estate in left})
        self._died_at = None if bequest is None else bequest.died_at
        self._needs = 0.0 if bequest is None else bequest.needs
        self._spared_until = 0.0
        self._is_ending = False
        self._leaving: signal.Signals | None = None
        self._leaves_at = float("inf")

    def run(self) -> bool:
        """Run until SIGTERM or SIGINT, then end the machine first and the reporter after it.

        On SIGUSR1 and SIGUSR2 leave to a successor what the machine holds; say whether that
        one is to be started in our place.
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
        return self._leave(self._leaving) and self._leaving == AT_ONCE

    def _is_over(self, now: float) -> bool:
        """Say whether nothing is left to wait for; who leaves lets the reporter end first."""
        is_left = self._leaving is not None and not self._reporter.runs
        return self._is_ending or is_left or now >= self._leaves_at

    def _hear(self) -> None:
        """Take in what the machine has said."""
        for message in self._line.heard():
            self._take(message, time.monotonic())

    def _take(self, message: guarding.Message, now: float) -> None:
        self._ward, lost = guarding.hear(self._ward, message, now)
        if isinstance(message, Settled):
            self._needs = now - self._machine.started_at
        if isinstance(message, Tethered | Untethered | Superseded):
            self._tethers.take(message)
        self._perform(lost, "not adopted")

    def _watch(self, now: float) -> None:
        """Kill a machine that is silent while it is master, before anything is done for it."""
        promised = self._line.promised
        if now < max(guarding.deadline(self._ward, promised), self._spared_until):
            return
        if self._machine.runs:
            log("the machine is silent, killing it", "error", pid=self._machine.pid)
            self._machine.kill()
        self._ward, lost = guarding.condemn(self._ward, promised, now)
        self._perform(lost, "silent")
        self._tethers.cut()
        if not self._machine.runs:  # no successor could be started in time: none is condemned
            self._ward, self._died_at = Ward(), None

    def _tend(self, now: float) -> None:
        self._bury(now)
        self._reporter.has_ended(now)
        for child, start in (
            (self._machine, self._start_machine),
            (self._reporter, self._start_reporter),
        ):
            if child.runs or now < child.start_at:
                continue
            try:
                start(now)
            except OSError as refused:  # no process, no descriptor, no memory: for now
                child.put_off(str(refused), now)

    def _bury(self, now: float) -> None:
        """Give up what a machine left that has ended, but for what the next one can adopt."""
        if not self._machine.has_ended(now):
            return
        self._hear()
        was_condemned = self._ward.condemned
        heir_at = self._machine.start_at + self._needs
        self._ward, lost = guarding.bury(self._ward, self._line.promised, now, heir_at)
        self._line.forget()
        self._died_at = None if was_condemned else now
        self._perform(lost, "silent" if was_condemned else "died")
        self._tethers.outlive()
        if lost != HandOver() and not self._ward.left:
            self._tethers.cut()

    def _start_machine(self, now: float) -> None:
        """Start it with a line to us and a page that we share; raise `OSError`."""
        with self._line.opened() as lent:
            passed = [self._to_machine.fileno(), *lent]
            early(self._machine.start(self._arguments(passed), passed, now))

    def _arguments(self, passed: list[int]) -> list[str]:
        died_at = [] if self._died_at is None else [repr(self._died_at)]
        return [str(self._settings.routers), *map(str, passed), *died_at]

    def _start_reporter(self, now: float) -> None:
        line, settings = self._to_reporter.fileno(), self._settings
        alone = [] if settings.config is None else [str(settings.config)]
        arguments = [str(settings.routers), str(line), *alone]
        ordinary(self._reporter.start(arguments, [line], now))

    def _perform(self, lost: HandOver, why: str) -> None:
        if lost != HandOver():
            addresses = sorted({str(one.address) for one in lost.targets})
            routes = {"routes": [one.said for one in lost.entries]} if lost.entries else {}
            self._clean_up.perform(lost)
            log("handed over for the machine", "warning", why=why, addresses=addresses, **routes)

    def _wake_at(self, now: float) -> float:
        starts = [c.start_at for c in (self._machine, self._reporter) if not c.runs]
        due = guarding.deadline(self._ward, self._line.promised)
        return min([max(due, self._spared_until), now + 3600.0, self._leaves_at, *starts])

    def _wait(self, planned: float) -> None:
        """Wait for a word, a signal or the time; note where we ourselves were held up."""
        ready = self._poll.poll(max(planned - time.monotonic(), 0.0) * 1000)
        spared_until = guarding.spared_until(planned, time.monotonic())
        self._spared_until = max(self._spared_until, spared_until)
        if any(descriptor == self._signals.fileno() for descriptor, _ in ready):
            caught = self._signals.caught()
            self._is_ending |= bool(caught & {signal.SIGTERM, signal.SIGINT})
            if signal.SIGHUP in caught:
                self._reporter.send(signal.SIGHUP)
            if caught & {AT_ONCE, LATER} and self._leaving is None:
                self._leaving = AT_ONCE if AT_ONCE in caught else LATER
                self._leaves_at = time.monotonic() + REPORTER_ENDS
                self._reporter.retire()

    def _end(self) -> None:
        """End the children in order, and clean up what the machine did not."""
        self._machine.terminate()
        self._machine.await_end(MACHINE_ENDS)
        self._hear()
        self.give_up()
        with contextlib.suppress(BlockingIOError):  # a reporter that hangs: it is killed
            self._to_machine.send(reports.dumps(Numbered("", 0, Farewell())))
        self._reporter.await_end(REPORTER_ENDS)

    def _leave(self, told: signal.Signals) -> bool:
        """End the machine, and leave what it held; where that cannot be, give it up."""
        self._reporter.await_end(0.0)
        self._machine.send(told)
        is_in_order = self._machine.await_end(MACHINE_ENDS)
        self._hear()
        now = time.monotonic()
        if is_in_order:
            heir_at = now + 2 * self._needs if told == AT_ONCE else now
            self._ward, lost = guarding.bury(self._ward, self._line.promised, now, heir_at)
            self._perform(lost, "not left")
            left = tuple(self._ward.left.values())
            bequest = Bequest(bequests.place(), now, self._needs, left)
            if bequests.leave(self._settings.bequest, bequest):
                log("left to a successor", instances=sorted(self._ward.left))
                return True
        self.give_up()
        return False

    def give_up(self) -> None:
        """Give up what the machine held, or left."""
        lost = guarding.given_up(self._ward, self._line.promised, time.monotonic())
        self._perform(lost, "ended")
