"""Signals as bytes on a socket, for a loop that waits on descriptors."""

import contextlib
import signal
import socket


class Signals:
    """Collects the signals given; `fileno` is readable when one came.

    What was blocked until now comes then.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        self._woken, waker = socket.socketpair()
        self._woken.setblocking(False)
        waker.setblocking(False)
        for number in numbers:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(waker.detach(), warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._woken.fileno()

    def caught(self) -> set[int]:
        """Return the numbers of the signals that came since the last call."""
        found: set[int] = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                found.update(self._woken.recv(64))
        return found
