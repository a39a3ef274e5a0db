"""A thread for calls that wait for the kernel's RTNL lock, beside the timers of the machine.

Joining a multicast group and listing interfaces wait while another process holds the lock, and
adverts must not wait with them.
"""

import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from libra_vrrp.shell.fatal import fatal

T = TypeVar("T")
_Then = Callable[[float], None]


class Aside:
    """Makes calls in order; what follows from them is done by `follow_up`, in the caller's turn."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], _Then]] = queue.SimpleQueue()
        self._thens: deque[_Then] = deque()
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        threading.Thread(target=self._work, name="aside", daemon=True).start()

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something to follow up."""
        return self._ready

    def do(self, call: Callable[[], T], then: Callable[[T | OSError, float], None]) -> None:
        """Make a call; hand what it returns, or the `OSError` it raises, to `then` later."""

        def work() -> _Then:
            outcome: T | OSError
            try:
                outcome = call()
            except OSError as error:
                outcome = error
            return lambda now: then(outcome, now)

        self._calls.put(work)

    def follow_up(self, now: float) -> None:
        """Do what follows from the calls that were made."""
        try:
            os.eventfd_read(self._ready)
        except BlockingIOError:
            return
        for _ in range(len(self._thens)):
            self._thens.popleft()(now)

    @fatal
    def _work(self) -> None:
        while True:
            self._thens.append(self._calls.get()())
            os.eventfd_write(self._ready, 1)
