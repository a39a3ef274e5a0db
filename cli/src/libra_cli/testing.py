"""A node on this host as tests run it: `libra` in real processes, in directories of its own."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from libra_cli.site import Site
from libra_runtime.settings import Edge

LIBRA = str(Path(sys.executable).with_name("libra"))


@dataclass(slots=True)
class Host:
    """Where one test's node is, and its commands."""

    directory: Path
    site: Site

    @property
    def environ(self) -> dict[str, str]:
        """Tell `libra` where the node is."""
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("LIBRA_")},
            "LIBRA_NODE": self.site.node,
            "LIBRA_STATE": str(self.site.state),
            "LIBRA_RUN": str(self.site.run),
            "LIBRA_NATS": self.site.nats,
        }

    def libra(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return self.libra_with({}, *words)

    def libra_with(self, environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command with more environment."""
        return subprocess.run(
            [LIBRA, *words],
            env=self.environ | environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start one command; what it prints comes through one pipe."""
        return subprocess.Popen(
            [LIBRA, *words],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def write(self, text: str, name: str = "libra.yaml") -> str:
        """Write a file; return its path."""
        path = self.directory / name
        path.write_text(text)
        return str(path)

    def edge(self, service: str) -> Edge:
        """Describe the edge of *service* on this node."""
        site = self.site
        return Edge(site.node, service, site.nats, site.state, site.run, site.seed(service))


@dataclass(slots=True)
class Up:
    """A running `libra up` and what it has said so far."""

    process: "subprocess.Popen[str]"
    said: list[str]

    def read_until(self, words: str, patience: float = 60.0) -> str:
        """Wait for a line with *words*; raise AssertionError with all that was said instead."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            line = self.process.stdout.readline() if self.process.stdout else ""
            if not line:
                break
            self.said.append(line)
            if words in line:
                return line
        raise AssertionError(f"never said {words!r}: {self.said}")

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=60)
        self.said.append(rest)
        return self.process.returncode
