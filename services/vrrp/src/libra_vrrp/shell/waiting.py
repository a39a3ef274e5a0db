"""A wait before anything works: it hears signals, and says now and then what it waits for."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from libra_vrrp.shell.say import log

AT_WORK: Final = frozenset({signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2})
"""What asks something of a service that works; each would end a process that does not hear it."""
_HEARD: Final = AT_WORK | {signal.SIGTERM, signal.SIGINT, signal.SIGALRM}
_TICK: Final = 1.0
"""Seconds; what comes just before a system call that waits is heard with the next."""


def hold() -> None:
    """Have what is asked of a service that works wait until there is who hears it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, AT_WORK)


@contextmanager
def waiting(remind: Callable[[], None]) -> Iterator[None]:
    """Hear signals meanwhile, whatever is blocked; call `remind` every second.

    Who is told to end does so at once, in order: nothing works yet.
    """

    def hear(number: int, _: FrameType | None) -> None:
        if number == signal.SIGALRM:
            remind()
        elif number in AT_WORK:
            name = signal.Signals(number).name
            log("a signal has no effect: nothing works here yet", "warning", signal=name)
        else:
            log("told to end while it waited")
            sys.exit(0)

    before = {number: signal.signal(number, hear) for number in _HEARD}
    blocked = signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
    signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, action in before.items():
            signal.signal(number, action)
