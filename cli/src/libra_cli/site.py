"""Where one node's things are on this host."""

import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from libra_cli.exits import MISSING, CommandError
from libra_runtime.streams import Limits

ROOT_STATE = Path("/var/lib/libra")
ROOT_RUN = Path("/run/libra")
DEFAULT_NATS = "nats://127.0.0.1:4222"


@dataclass(frozen=True, slots=True)
class Site:
    """A node's directories and its NATS server, as every command needs them."""

    node: str
    state: Path
    run: Path
    nats: str = DEFAULT_NATS

    @property
    def socket(self) -> Path:
        """Where the console listens."""
        return self.run / "console.sock"

    @property
    def seeds(self) -> Path:
        """Where the nkey seeds are, one file per user."""
        return self.state / "seeds"

    def seed(self, user: str) -> Path:
        """Name the seed file of *user*."""
        return self.seeds / f"{user}.seed"

    @property
    def store(self) -> Path:
        """Where nats-server keeps the log."""
        return self.state / "nats"

    @property
    def kept_config(self) -> Path:
        """Where health keeps the config in force; not there until there has been one."""
        return self.state / "health.config.json"

    @property
    def limits(self) -> Limits:
        """How much log the disk of the store has room for."""
        return Limits.of_disk(shutil.disk_usage(self.store).total)

    @property
    def server_config(self) -> Path:
        """Where the generated configuration of nats-server is."""
        return self.state / "nats.conf"

    @property
    def endpoint(self) -> tuple[str, int]:
        """Split the NATS URL into host and port."""
        parts = urlsplit(self.nats if "//" in self.nats else f"nats://{self.nats}")
        return parts.hostname or "127.0.0.1", parts.port or 4222


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says about the site; None where it says nothing."""

    node: str | None = None
    state: Path | None = None
    run: Path | None = None
    nats: str | None = None


def locate(given: Given, environ: Mapping[str, str] = os.environ) -> Site:
    """Find the site: the command line, then LIBRA_*, then the only node on this host."""
    node = given.node or environ.get("LIBRA_NODE") or _only_node(given)
    state = given.state or Path(environ.get("LIBRA_STATE", ROOT_STATE / node))
    run = given.run or Path(environ.get("LIBRA_RUN", ROOT_RUN / node))
    nats = given.nats or environ.get("LIBRA_NATS", DEFAULT_NATS)
    return Site(node, state.absolute(), run.absolute(), nats)


def _only_node(given: Given) -> str:
    """Name the one node that has state here; raise CommandError where there is none or several."""
    if given.state is not None and given.run is not None:
        return given.state.name
    nodes = sorted(each.name for each in ROOT_STATE.glob("*") if each.is_dir())
    if len(nodes) == 1:
        return nodes[0]
    found = f"{ROOT_STATE} holds {', '.join(nodes)}" if nodes else f"{ROOT_STATE} holds none"
    raise CommandError(f"which node? Name it with --node or LIBRA_NODE ({found})", MISSING)


def default_node(names: list[str]) -> str:
    """Choose the node of a config that this host is: by host name, or the only one."""
    host = socket.gethostname().partition(".")[0]
    if host in names:
        return host
    if len(names) == 1:
        return names[0]
    raise CommandError(
        f"which node is this host? Name it with --node: {', '.join(names)} (host name: {host})"
    )
