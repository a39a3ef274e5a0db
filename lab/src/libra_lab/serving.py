"""Start the tiny servers of `libra_lab.servers` inside nodes."""

import subprocess
import sys
from pathlib import Path

from libra_lab.node import Node


def start(
    node: Node, kind: str, name: str, port: int, address: str = "0.0.0.0"
) -> "subprocess.Popen[str]":
    """Start a server in `node` without waiting for it; see `ready`."""
    source = str(Path(__file__).resolve().parents[1])
    program = f"import sys; sys.path.insert(0, {source!r}); import libra_lab.servers as s; s.main()"
    words = ["--name", name, "--port", str(port), "--address", address]
    argv = [sys.executable, "-IS", "-c", program, kind, *words]
    return node.popen(argv, stdout=subprocess.PIPE)


def ready(*servers: "subprocess.Popen[str]") -> None:
    """Wait until each of the servers listens; raise RuntimeError if one ended instead."""
    for server in servers:
        if server.stdout is None or server.stdout.readline() != "ready\n":
            raise RuntimeError(f"a server ended before it listened: {server.args!r}")
        server.stdout.close()
