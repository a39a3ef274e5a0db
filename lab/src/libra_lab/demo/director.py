"""One director of the demo: `libra up` in its namespace, its log and its kernel's table."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from libra_lab.commands import CommandFailed
from libra_lab.inside import note
from libra_lab.node import Node
from libra_lab.waiting import wait_until

BIN = Path(sys.executable).parent
START_TIMEOUT = 120.0
LAST_WORDS = 15
AGREE_TIMEOUT = 60.0


class DirectorEnded(CommandFailed):
    """`libra up` is no more, and nothing that needs it can come true."""


@dataclass(slots=True)
class Director:
    """A node that runs LibrA; *folder* holds its state, its sockets and its output."""

    node: Node
    folder: Path
    config: Path
    process: "subprocess.Popen[str] | None" = None

    @property
    def name(self) -> str:
        """Name the director as the config does."""
        return self.node.name

    @property
    def site(self) -> dict[str, str]:
        """Tell LibrA's programs who and where they are."""
        return {
            "LIBRA_NODE": self.name,
            "LIBRA_STATE": str(self.folder / "state"),
            "LIBRA_RUN": str(self.folder / "run"),
        }

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program of this director."""
        return {**os.environ, **self.site}

    @property
    def output(self) -> Path:
        """Name the file that holds what the services print."""
        return self.folder / "output.log"

    def start(self) -> None:
        """Start `libra up`; it is ready when its table is."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        note(self.node.namespace, self.site)
        command = [str(BIN / "libra"), "up", "--config", str(self.config), "--node", self.name]
        with self.output.open("a") as output:
            self.process = self.node.popen(
                command, environment=self.environment, stdout=output, stderr=output
            )

    def stop(self) -> int:
        """End `libra up` as Ctrl-C does; return its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        return self.process.wait(60)

    def wait_until(
        self, condition: Callable[[], bool], what: str, timeout: float = START_TIMEOUT
    ) -> float:
        """Wait for *condition* as long as `libra up` runs; return seconds.

        Raise TimeoutError, and DirectorEnded with its last words.
        """

        def holds() -> bool:
            self.require_up()
            return condition()

        return wait_until(holds, what, timeout)

    def require_up(self) -> None:
        """Raise DirectorEnded unless `libra up` runs."""
        status = None if self.process is None else self.process.poll()
        if status is not None:
            words = self.output.read_text(errors="replace").splitlines()[-LAST_WORDS:]
            said = "\n".join(words) or "nothing"
            raise DirectorEnded(
                f"{self.name}: libra up ended with status {status}; it said last:\n{said}"
            )

    def libra(self, *words: str) -> str:
        """Run a `libra` command in here and return what it printed."""
        return self.node.run(
            str(BIN / "libra"), *words, environment=self.environment, timeout=90
        ).stdout

    def table(self) -> list[str]:
        """Read the kernel's table as the independent reader prints it."""
        return self.node.ipvsadm("-Sn").splitlines()

    def destinations(self, address: str) -> set[str]:
        """List the real servers that the kernel holds behind a virtual address and port."""
        rules = (line.split() for line in self.table())
        return {rule[4] for rule in rules if rule[0] == "-a" and rule[2] == address}

    def owns(self, address: str) -> bool:
        """Tell whether this director's kernel holds a virtual address."""
        told = self.node.run("ip", "-o", "-4", "addr", "show", "to", f"{address}/32").stdout
        return bool(told.strip())

    def wait_for_destinations(
        self, address: str, wanted: set[str], timeout: float = START_TIMEOUT
    ) -> float:
        """Wait until the kernel holds exactly *wanted* behind *address*; return seconds."""
        what = f"{self.name}: {address} -> {sorted(wanted)}"
        try:
            return self.wait_until(lambda: self.destinations(address) == wanted, what, timeout)
        except TimeoutError as error:
            raise CommandFailed(f"{error}; the table is\n" + "\n".join(self.table())) from None

    def require_agreement(self) -> int:
        """Require that the log replays to the very table the kernel holds; return its lines."""
        said: list[str] = []
        held: list[str] = []

        def agrees() -> bool:
            held[:] = self.table()
            try:
                said[:] = self.libra("replay", "--format", "ipvsadm").splitlines()
            except CommandFailed as error:
                said[:] = [str(error)]
            return said == held

        try:
            self.wait_until(agrees, f"{self.name}: replay = ipvsadm", AGREE_TIMEOUT)
        except TimeoutError as error:
            parts = ["ipvsadm:", *held, "replay:", *said]
            raise CommandFailed(f"{error}\n" + "\n".join(parts)) from None
        return len(held)

    def events(self, *words: str) -> list[dict[str, Any]]:
        """List events of this director's log, decoded."""
        told = self.libra("events", "--json", *words)
        return [json.loads(line) for line in told.splitlines()]
