"""One machine per host: an abstract unix socket, which lives in the network namespace (unix(7)).

A second one would take the addresses of the first for what its own predecessor left, and remove
them. An abstract name has no permissions, so whoever holds it is looked at: SO_PEERCRED is who
called listen(2), as seen from our user namespace, and only root or our own user can be a rival.
"""

import os
import socket
import struct
from collections.abc import Collection
from dataclasses import dataclass
from errno import EADDRINUSE
from typing import Final

from libra_vrrp.shell.say import log

NAME: Final = "\0libra-vrrp"
RETRY: Final = 0.2
"""Seconds after which a claim that another holds is tried again."""

RIVAL: Final = (
    "another libra-vrrp works in this network namespace: stop it (`ss -xlp` on the host names who "
    "listens on @libra-vrrp)"
)
_CREDENTIALS: Final = struct.Struct("iII")
"""struct ucred: pid (0 where it is in none of our pid namespaces), uid, gid."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on the name; `line` breaks when it ends."""

    pid: int
    uid: int
    line: socket.socket


class Claim:
    """Held from the first `take` that succeeds until the process ends."""

    def __init__(self, name: str = NAME, trusted: Collection[int] | None = None) -> None:
        self.name = name
        self.rival: str | None = None
        self._trusted = {0, os.geteuid()} if trusted is None else trusted
        self._socket: socket.socket | None = None
        self._line: socket.socket | None = None
        self._is_refused = self._is_ignoring = self._has_warned = False

    def close(self) -> None:
        """Give the claim up."""
        self._hang_up()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def retry_at(self, now: float) -> float:
        """Return when to try again, never where nobody is in our way."""
        return now + RETRY if self.rival is not None or self._is_ignoring else float("inf")

    def take(self) -> bool:
        """Take the claim, or say in `rival` who has it; True where that is news.

        A holder that cannot be a rival is told once, and we work without the claim.
        """
        if self._socket is not None:
            return False
        had, self.rival = self.rival, None
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind(self.name)
            claim.listen()
        except OSError as error:
            claim.close()
            if error.errno != EADDRINUSE:
                raise
            self._judge()
        else:
            self._socket, self._is_ignoring = claim, False
            self._hang_up()
        return self.rival != had

    def _judge(self) -> None:
        """Find out whether the holder is a rival.

        The line to a rival stays open, so that we fill its queue, which it never reads, with one
        connection and no more.
        """
        if self._line is not None and _is_alive(self._line):
            self.rival = RIVAL
            return
        self._hang_up()
        holder = _holder(self.name)
        self._is_ignoring = not self._is_rival(holder)
        if holder is not None:
            self._line = holder.line
        if self._is_ignoring:
            self._warn(holder)
            self._hang_up()
        else:
            self.rival = RIVAL

    def _is_rival(self, holder: Holder | None) -> bool:
        """Judge by the user; where nobody answers it may be a rival about to listen, but once.

        A stranger stays one when it stops answering.
        """
        if holder is not None:
            self._is_refused = False
            return holder.uid in self._trusted
        was_refused, self._is_refused = self._is_refused, True
        return not (was_refused or self._is_ignoring)

    def _warn(self, holder: Holder | None) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        who = {} if holder is None else {"pid": holder.pid, "uid": holder.uid}
        why = "has it and answers nobody" if holder is None else "listens there without being root"
        log(
            "going on without the claim on this network namespace: stop who has it",
            "warning",
            why=f"a process that is no libra-vrrp {why} (`ss -xap | grep @libra-vrrp`)",
            **who,
        )

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _holder(name: str) -> Holder | None:
    """Ask the kernel who listens on the name; None where nobody does, or the queue is full."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        line.connect(name)
        raw = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except OSError:
        line.close()
        return None
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Holder(pid, uid, line)


def _is_alive(line: socket.socket) -> bool:
    """Say whether the other end is there; a listener that ends resets who waits in its queue."""
    try:
        return line.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
