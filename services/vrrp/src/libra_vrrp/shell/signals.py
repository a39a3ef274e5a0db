"""Signals as bytes on a socket, for a loop that waits on descriptors."""

import signal
import socket


class Signals:
    """Collects the signals given; `fileno` is readable when one came."""

    def __init__(self, *numbers: signal.Signals) -> None:
        self._woken, waker = socket.socketpair()
        waker.setblocking(False)
        for number in numbers:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(waker.detach(), warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._woken.fileno()

    def caught(self) -> set[int]:
        """Return the numbers of the signals that came; call it when `fileno` is readable."""
        return set(self._woken.recv(64))
