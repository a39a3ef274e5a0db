"""Kill every LibrA process and nats-server of both directors once in every step.

The order is a seed's. `libra up` itself, which starts them again, is spared: starting that again is
the work of the machine's own supervisor.
"""

import contextlib
import os
import random
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from libra_lab.demo.director import Director
from libra_lab.waiting import wait_until

PROGRAMS = ("nats-server", "libra-health", "libra-ipvs-writer", "libra-notifier", "libra-console")
VRRP = "libra-vrrp"
BACK_TIMEOUT = 90.0
PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Process:
    """A running process: *role* tells apart those that share a program."""

    pid: int
    role: str


@dataclass(slots=True)
class Chaos:
    """Kill -9 each process of each director while a step runs; seeded."""

    seed: int
    directors: list[Director]
    killed: list[str] = field(default_factory=list)
    _dice: random.Random = field(init=False)
    _thread: threading.Thread | None = None
    _error: str = ""

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311  repeatable on purpose

    def start(self) -> None:
        """Begin a round of kills beside the step."""
        self._thread = threading.Thread(target=self._round, daemon=True)
        self._thread.start()

    def settle(self) -> None:
        """Wait until the round is over and every process is back; raise TimeoutError."""
        if self._thread is None:
            return
        self._thread.join()
        self._thread = None
        if self._error:
            raise TimeoutError(self._error)

    def _round(self) -> None:
        victims = [(each, process.role) for each in self.directors for process in running(each)]
        victims.sort(key=lambda victim: (victim[0].name, victim[1]))
        self._dice.shuffle(victims)
        try:
            for director, role in victims:
                self._kill(director, role)
        except TimeoutError as error:
            self._error = f"chaos {self.seed}: {error}"

    def _kill(self, director: Director, role: str) -> None:
        """Kill one process once it runs, and wait until another has taken its place."""
        found: list[Process] = []

        def present() -> bool:
            found[:] = [each for each in running(director) if each.role == role]
            return bool(found)

        wait_until(present, f"{director.name}: {role} runs", BACK_TIMEOUT)
        victim = found[0].pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        self.killed.append(f"{director.name}/{role}")
        wait_until(
            lambda: present() and found[0].pid != victim,
            f"{director.name}: {role} is back",
            BACK_TIMEOUT,
        )
        time.sleep(PAUSE)


def running(director: Director) -> list[Process]:
    """List LibrA's processes of a director, `libra up` itself excepted."""
    found = []
    for pid in director.node.processes():
        try:
            words = Path("/proc", str(pid), "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        role = _role(words)
        if role is not None:
            found.append(Process(pid, role))
    return found


def _role(words: list[str]) -> str | None:
    names = [Path(word).name for word in words[:4]]
    for program in PROGRAMS:
        if program in names or program.replace("-", "_") in names:
            return program
    if any(name.startswith("libra_vrrp") or name == VRRP for name in names):
        return " ".join([VRRP, *(word for word in words if word in ("machine", "reporter"))])
    return None
