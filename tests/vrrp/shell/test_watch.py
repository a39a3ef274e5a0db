"""Interfaces listed anew after an overrun, whatever comes between."""

import errno
import socket
from select import select

import pytest

from libra_vrrp.interfaces import Interfaces
from libra_vrrp.shell import watch
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.watch import Watch


class Overrun(socket.socket):
    """A socket that the kernel had more for than it could hold."""

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:  # noqa: ARG002 - as a socket's
        raise OSError(errno.ENOBUFS, "No buffer space available")


@pytest.mark.parametrize("between", [TimeoutError(), OSError(errno.ENOBUFS, "no space")])
def test_a_listing_that_fails_for_now_is_made_again(
    monkeypatch: pytest.MonkeyPatch, between: OSError
) -> None:
    """Found by review: a second overrun, while listing anew, ended the machine."""
    first, last = Overrun(), socket.socket()
    outcomes: list[socket.socket | OSError] = [first, between, last]

    def listen() -> tuple[socket.socket, Interfaces]:
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome, Interfaces()

    monkeypatch.setattr(watch, "listen", listen)
    opened: list[float] = []
    aside = Aside()
    watched = Watch(aside, opened.append, lambda _: None)
    assert watched.read() == frozenset()
    while not opened:
        assert select([aside], [], [], 60)[0]
        aside.follow_up(7.0)
    assert (opened, watched.fileno()) == ([7.0], last.fileno())
    last.close()
