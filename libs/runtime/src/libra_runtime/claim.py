"""One of a program per network namespace: an abstract unix socket (unix(7)). Imports little.

An abstract name has no permissions, so whoever has it is looked at: SO_PEERCRED is who called
listen(2), as seen from our user namespace, and only root or our own user can be a rival. Where a
stranger has the name we listen beside it, on a name that nobody can guess: NAME+TOKEN.

Rule: listen first, look at the others' names afterwards. Of two that start at once one at least
sees the other, so both may yield, but both never work.

Not guaranteed: somebody whose queue a stranger keeps full answers nobody and is no rival at the
second try; nor is one that runs as another ordinary user; and who listens beside the name is
found in /proc only.
"""

import os
import socket
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from errno import EADDRINUSE
from pathlib import Path
from typing import Final, Protocol

RETRY: Final = 0.2
"""Seconds after which a claim that another holds is tried again."""

LISTING: Final = Path("/proc/thread-self/net/unix")
"""Every unix socket of this network namespace; a NUL in a name is shown as `@`."""

_CREDENTIALS: Final = struct.Struct("iII")
"""struct ucred: pid (0 where it is in none of our pid namespaces), uid, gid."""


class Warn(Protocol):
    """Where a stranger is told: a constant phrase, and facts beside it."""

    def __call__(self, event: str, /, **facts: object) -> object:
        """Log one line."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on a name; `line` breaks when it ends."""

    pid: int
    uid: int
    line: socket.socket


class Claim:
    """Held by *program* from the first `take` that succeeds until the process ends.

    *name* is `@` and the program, *trusted* root and our own user.
    """

    def __init__(
        self,
        program: str,
        warn: Warn,
        name: str | None = None,
        trusted: Collection[int] | None = None,
    ) -> None:
        self.name = f"\0{program}" if name is None else name
        self.rival: str | None = None
        self._program = program
        self._tell = warn
        self._trusted = {0, os.geteuid()} if trusted is None else trusted
        self._named: socket.socket | None = None
        self._beside: socket.socket | None = None
        self._line: socket.socket | None = None
        self._is_refused = self._has_warned = False

    @property
    def is_held(self) -> bool:
        """Whether nobody else of the program can be at work here."""
        return self._named is not None or self._beside is not None

    def close(self) -> None:
        """Give the claim up."""
        for each in (self._named, self._beside, self._line):
            if each is not None:
                each.close()
        self._named = self._beside = self._line = None

    def retry_at(self, now: float) -> float:
        """Return when to try again, never where nobody is in our way."""
        is_done = self.rival is None and self._beside is None
        return float("inf") if is_done else now + RETRY

    def take(self) -> bool:
        """Take the claim, or say in `rival` who has it; True where that is news.

        A holder that cannot be a rival is told once, and we work beside it.
        """
        if self._named is not None or (self._line is not None and _is_alive(self._line)):
            return False
        had, self.rival = self.rival, None
        self._hang_up()
        named = _listen(self.name)
        if self._beside is None:
            self._begin(named)
        elif named is not None:
            self._named = named
            self._beside.close()
            self._beside = None
        return self.rival != had

    def _begin(self, named: socket.socket | None) -> None:
        """Listen on the name or beside it, and only then look who does so beside it."""
        self._named = named
        stranger = None
        if named is None:
            stranger = _holder(self.name)
            if self._is_rival(stranger):
                self._yield_to(stranger)
                return
            _let_go(stranger)
            self._beside = _listen(f"{self.name}+{os.urandom(8).hex()}")
        rival = self._found_beside()
        if rival is not None:
            self.close()
            self._yield_to(rival)
        elif named is None:
            self._warn(stranger)

    def _found_beside(self) -> Holder | None:
        own = b"" if self._beside is None else self._beside.getsockname()
        for name in _beside(self.name):
            holder = None if name == own else _holder(name)
            if holder is not None and holder.uid in self._trusted:
                return holder
            _let_go(holder)
        return None

    def _is_rival(self, holder: Holder | None) -> bool:
        """Judge by the user; where nobody answers it may be a rival about to listen, but once."""
        if holder is not None:
            self._is_refused = False
            return holder.uid in self._trusted
        was_refused, self._is_refused = self._is_refused, True
        return not was_refused

    def _yield_to(self, holder: Holder | None) -> None:
        """Wait for its end by a line that stays open.

        So we fill its queue, which it never reads, with one connection and no more.
        """
        self._line = None if holder is None else holder.line
        self.rival = (
            f"another {self._program} works in this network namespace: stop it (`ss -xlp` on the "
            f"host names who listens on @{self._program})"
        )

    def _warn(self, holder: Holder | None) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        who = {} if holder is None else {"pid": holder.pid, "uid": holder.uid}
        why = "has it and answers nobody" if holder is None else "listens there without being root"
        self._tell(
            "going on without the claim on this network namespace: stop who has it",
            why=f"a process that is no {self._program} {why} (`ss -xap | grep @{self._program}`)",
            **who,
        )

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def is_named(program: str) -> bool:
    """Say whether somebody goes by the name of *program* here; who that is nobody looks at."""
    exactly = os.fsencode(f" @{program}")
    try:
        lines = LISTING.read_bytes().splitlines()
    except OSError:
        return False
    return any(line.endswith(exactly) or exactly + b"+" in line for line in lines)


def _listen(name: str) -> socket.socket | None:
    """Listen on *name*, answering nobody; None where somebody else has it."""
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        ours.bind(name)
        ours.listen()
    except OSError as error:
        ours.close()
        if error.errno != EADDRINUSE:
            raise
        return None
    return ours


def _beside(name: str) -> Iterator[bytes]:
    """Give every name in this network namespace that begins with *name* and a plus sign."""
    shown = os.fsencode(f" @{name[1:]}+")
    try:
        lines = LISTING.open("rb")
    except OSError:
        return
    with lines:
        for line in lines:
            _, found, token = line.rstrip(b"\n").partition(shown)
            if found:
                yield os.fsencode(f"{name}+") + token


def _holder(name: str | bytes) -> Holder | None:
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


def _let_go(holder: Holder | None) -> None:
    if holder is not None:
        holder.line.close()


def _is_alive(line: socket.socket) -> bool:
    """Say whether the other end is there; a listener that ends resets who waits in its queue."""
    try:
        return line.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
