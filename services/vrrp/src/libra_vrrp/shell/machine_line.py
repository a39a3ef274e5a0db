"""What the guard shares with the machine that runs: a line on which it hears it, and a page."""

import contextlib
import select
import socket
from collections.abc import Iterator
from typing import Final

from libra_vrrp import wills
from libra_vrrp.guarding import Message
from libra_vrrp.shell import page
from libra_vrrp.shell.held_tethers import HeldTethers
from libra_vrrp.shell.page import Page
from libra_vrrp.shell.say import log
from libra_vrrp.wills import MalformedWill

_LARGEST: Final = 1 << 16
_BUFFER: Final = 1 << 22
_SO_SNDBUFFORCE: Final = 32
_CLOEXEC: Final = 0x40000000
"""MSG_CMSG_CLOEXEC (linux/socket.h)."""


class MachineLine:
    """`poll` waits for what comes on it; connections that come with it go to `tethers`."""

    def __init__(self, poll: select.poll, tethers: HeldTethers) -> None:
        self._poll, self._tethers = poll, tethers
        self._line: socket.socket | None = None
        self._begun = b""
        self._page: Page | None = None

    @property
    def promised(self) -> float:
        """By when the machine gives its next sign of life."""
        return float("inf") if self._page is None else self._page.promised

    @contextlib.contextmanager
    def opened(self) -> Iterator[list[int]]:
        """Lend the machine's ends, the line's and the page's, to start it; raise `OSError`."""
        with contextlib.ExitStack() as unless_it_runs:
            ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            unless_it_runs.enter_context(ours)
            with its, page.made() as memory:
                ours.setblocking(False)
                with contextlib.suppress(PermissionError):
                    its.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER)
                shared = Page(memory)
                yield [its.fileno(), memory]
            unless_it_runs.pop_all()
        self._line, self._page, self._begun = ours, shared, b""
        self._poll.register(ours, select.POLLIN)

    def heard(self) -> Iterator[Message]:
        """Yield what the machine has said."""
        while self._line is not None:
            try:
                said, passed, *_ = socket.recv_fds(self._line, _LARGEST, 1, _CLOEXEC)
            except OSError:
                return
            if not said:
                self._close()
                return
            self._tethers.receive(passed)
            if (message := self._whole(said)) is not None:
                yield message

    def forget(self) -> None:
        """Know that the machine is dead: what it promised counts no more."""
        self._page = None

    def _whole(self, said: bytes) -> Message | None:
        """Return the message that a piece completes."""
        if said.startswith(wills.MORE):
            self._begun += said.removeprefix(wills.MORE)
            return None
        line, self._begun = self._begun + said, b""
        try:
            return wills.loads(line)
        except MalformedWill as wrong:
            log("the machine says what makes no sense", "error", why=str(wrong))
            return None

    def _close(self) -> None:
        if self._line is not None:
            self._poll.unregister(self._line)
            self._line.close()
            self._line = None
