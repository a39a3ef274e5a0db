"""What every process is told by its environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from libra_schemas.errors import LibraError
from libra_schemas.model import NAME_PATTERN

_PORTS = ("console", "health", "vrrp", "ipvs-writer", "notifier")
METRICS_PORTS = {service: 9640 + offset for offset, service in enumerate(_PORTS)}


class BadEnvironment(LibraError):
    """An environment variable is missing or cannot be what it says."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a service stands: its node, its NATS server, its directories.

    *seed_file* holds the nkey seed of the service's NATS user (None: connect without one);
    *metrics_port* 0 switches metrics and health endpoint off.
    """

    node: str
    service: str
    nats: str
    state: Path
    run: Path
    seed_file: Path | None = None
    metrics_port: int = 0
    log_level: str = "info"

    @classmethod
    def from_environment(cls, service: str, environ: Mapping[str, str] | None = None) -> "Edge":
        """Read LIBRA_*; raise BadEnvironment with what is missing."""
        given = os.environ if environ is None else environ
        node = _node(given)
        seed = given.get("LIBRA_SEED_FILE")
        return cls(
            node=node,
            service=service,
            nats=given.get("LIBRA_NATS", "nats://127.0.0.1:4222"),
            state=Path(given.get("LIBRA_STATE", f"/var/lib/libra/{node}")),
            run=Path(given.get("LIBRA_RUN", f"/run/libra/{node}")),
            seed_file=Path(seed) if seed else None,
            metrics_port=_port(given, METRICS_PORTS.get(service, 0)),
            log_level=given.get("LIBRA_LOG", "info"),
        )

    def environment(self) -> dict[str, str]:
        """Give the variables that `from_environment` reads this edge from."""
        seed = {} if self.seed_file is None else {"LIBRA_SEED_FILE": str(self.seed_file)}
        return seed | {
            "LIBRA_NODE": self.node,
            "LIBRA_NATS": self.nats,
            "LIBRA_STATE": str(self.state),
            "LIBRA_RUN": str(self.run),
            "LIBRA_METRICS_PORT": str(self.metrics_port),
            "LIBRA_LOG": self.log_level,
        }


def _node(given: Mapping[str, str]) -> str:
    node = given.get("LIBRA_NODE", "")
    if not node:
        raise BadEnvironment("LIBRA_NODE is not set; set it to the name of this node in the config")
    if not re.fullmatch(NAME_PATTERN, node) or node in {"all", "cluster"}:
        raise BadEnvironment(f"LIBRA_NODE={node!r} is no node name ({NAME_PATTERN})")
    return node


def _port(given: Mapping[str, str], default: int) -> int:
    text = given.get("LIBRA_METRICS_PORT", "")
    if not text:
        return default
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 - the largest port
        raise BadEnvironment(f"LIBRA_METRICS_PORT={text!r} is no port (0 switches metrics off)")
    return int(text)
