"""A process of ours whose end is seen at once, and which is reaped when nothing waits for us."""

import contextlib
import os
import signal
import subprocess

from libra_vrrp.shell.privileges import unhurried


class Process:
    """Started with `argv`, in a session of its own; raise `OSError` where that is not possible."""

    def __init__(self, argv: list[str], descriptors: list[int]) -> None:
        self._popen = subprocess.Popen(argv, pass_fds=descriptors, start_new_session=True)

    @property
    def pid(self) -> int:
        """The process id, until it is reaped nobody else's."""
        return self._popen.pid

    def status(self) -> int | None:
        """Return its exit status, below 0 for a signal, once it has ended; it is not reaped yet."""
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def send(self, number: int) -> None:
        """Send it a signal; to a process of another user it needs CAP_KILL (`PermissionError`)."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it; without CAP_KILL a process of another user is beyond us."""
        with contextlib.suppress(PermissionError):
            self.send(signal.SIGKILL)

    def reap(self) -> None:
        """Have nothing left of it, once it has ended."""
        with unhurried():
            self._popen.wait()
