"""The thread that puts virtual addresses on interfaces, beside the timers of the machine.

The kernel does address work inside the sending system call, and holds it up while another process
has its RTNL lock; adverts must not wait for that. Jobs are carried out in order.
"""

import os
import queue
import socket
import threading
import time
from collections import deque
from typing import Final, assert_never

from libra_vrrp import rtnetlink
from libra_vrrp.renewal import UNKNOWN, Add, Done, Outcome, Remove, Renew, Target, renewal
from libra_vrrp.rtnetlink import Answered
from libra_vrrp.shell.fatal import fatal

_BATCH: Final = 64
_LARGEST: Final = 1 << 17
_PATIENCE: Final = 5.0


class AddressThread:
    """Carries out jobs in order; `outcomes` are ready when `fileno` is readable."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Renew | Remove | None] = queue.SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._socket = _netlink()
        self._sequence = 0
        self._thread = threading.Thread(target=self._work, name="addresses", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._ready

    def do(self, job: Renew | Remove) -> None:
        """Queue a job; returns at once."""
        self._jobs.put(job)

    def outcomes(self) -> list[Outcome]:
        """Return what was finished since the last call."""
        try:
            os.eventfd_read(self._ready)
        except BlockingIOError:
            return []
        return [self._outcomes.popleft() for _ in range(len(self._outcomes))]

    def finish(self, patience: float) -> bool:
        """Wait until every job is done, at most `patience` seconds; say whether it is."""
        self._jobs.put(None)
        self._thread.join(patience)
        return not self._thread.is_alive()

    @fatal
    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            match job:
                case Renew():
                    self._outcomes.append(self._renew(job))
                    os.eventfd_write(self._ready, 1)
                case Remove():
                    self._remove(job.targets)

    def _renew(self, job: Renew) -> Outcome:
        steps = renewal(job, time.monotonic())
        try:
            step = next(steps)
            while True:
                refused = self._perform(step)
                step = steps.send(Done(refused, time.monotonic()))
        except StopIteration as finished:
            outcome: Outcome = finished.value
            return outcome

    def _perform(self, step: Add | Remove) -> int:
        match step:
            case Add():
                return self._add(step)
            case Remove():
                self._remove(step.targets)
                return 0
            case _:
                assert_never(step)

    def _add(self, step: Add) -> int:
        """Return the first errno that is none of success."""
        refused = 0
        for part in _parts(step.targets):
            numbered = [(self._number(), index, address) for index, address in part]
            requests = [rtnetlink.add_address(n, i, a, step.lifetime) for n, i, a in numbered]
            errors = self._ask(requests, {n for n, _, _ in numbered})
            refused = refused or next((e for e in errors if e), 0)
        return refused

    def _remove(self, targets: tuple[Target, ...]) -> None:
        for part in _parts(targets):
            numbered = [(self._number(), index, address) for index, address in part]
            requests = [rtnetlink.delete_address(n, i, a) for n, i, a in numbered]
            self._ask(requests, {n for n, _, _ in numbered})

    def _number(self) -> int:
        self._sequence += 1
        return self._sequence

    def _ask(self, requests: list[bytes], expected: set[int]) -> list[int]:
        """Send requests in one go and return their errnos, and UNKNOWN where an answer was lost."""
        errors: list[int] = []
        try:
            self._socket.send(b"".join(requests))
            while expected:
                for said in rtnetlink.decode(self._socket.recv(_LARGEST)):
                    if isinstance(said, Answered) and said.sequence in expected:
                        expected.discard(said.sequence)
                        errors.append(said.errno)
        except OSError:
            self._socket.close()
            self._socket = _netlink()
            errors.append(UNKNOWN)
        return errors


def _netlink() -> socket.socket:
    netlink = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    )
    netlink.bind((0, 0))
    netlink.settimeout(_PATIENCE)
    return netlink


def _parts(targets: tuple[Target, ...]) -> list[tuple[Target, ...]]:
    return [targets[at : at + _BATCH] for at in range(0, len(targets), _BATCH)]
