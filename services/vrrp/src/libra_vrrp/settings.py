"""What libra-vrrp is told when it starts; nothing that the machine would have to import."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NOBODY: Final = 65534
CONFIG: Final = 78
"""Exit status where only the operator can mend it: a setting or the config (sysexits.h)."""
OPTIONS: Final = frozenset({"--config", "--node"})
USAGE: Final = "usage: libra-vrrp [--config FILE] [--node NODE]"
HELP: Final = f"""\
{USAGE}

Own this node's virtual addresses, until SIGTERM. SIGHUP has it look at its config again, SIGUSR2
start again in place without a failover. SIGUSR1 ends it with its addresses in place: start it
again at once, nothing else does.

  --config FILE  work alone, by this file: neither NATS nor another service is needed
  --node NODE    which node of the config this host is
  --help         say this and end

Without --config the config is the one that the log at LIBRA_NATS holds.

Environment:
  LIBRA_NODE          the node, where --node is not given
  LIBRA_STATE         directory of what is kept (/var/lib/libra/NODE)
  LIBRA_NATS          the log (nats://127.0.0.1:4222); with --config events go there if it is set
  LIBRA_SEED_FILE     the nkey seed for it
  LIBRA_METRICS_PORT  /metrics and /healthz on 127.0.0.1 (9642; 0 for none)
  LIBRA_LOG           debug, info, warning or error
  LIBRA_LOG_FORMAT    text or json (text where standard error is a terminal)
  LIBRA_VRRP_UID      user that reads the config and runs tracking programs ({NOBODY})
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """`uid` is the user that the reporter becomes when it is started as root.

    Where `config` names a file the service works alone, by that.
    """

    node: str
    state: Path
    uid: int = NOBODY
    config: Path | None = None

    @property
    def directory(self) -> Path:
        """Where the reporter keeps its things."""
        return self.state / "vrrp"

    @property
    def bequest(self) -> Path:
        """What a service that ended left to this one; only root may write where it lies."""
        return self.state / "vrrp-guard" / "left.json"

    @property
    def lock(self) -> Path:
        """Whoever has it works with this state directory."""
        return self.state / "vrrp-guard" / "lock"

    @property
    def mark(self) -> Path:
        """What is there while a service works, and stays where it does not end in order."""
        return self.bequest.with_name("works")

    @property
    def routers(self) -> Path:
        """The list of routers from which the machine starts."""
        return self.directory / "routers.jsonl"


def from_environment(arguments: list[str], environ: Mapping[str, str] = os.environ) -> Settings:
    """Read `[--config FILE] [--node NODE]` and LIBRA_*; raise `ValueError` with one sentence."""
    options = _options(arguments)
    node = options.get("--node", environ.get("LIBRA_NODE", ""))
    if not node:
        raise ValueError(
            "LIBRA_NODE is not set; set it, or --node, to the name of this node in the config"
        )
    uid = environ.get("LIBRA_VRRP_UID", str(NOBODY))
    if not uid.isdecimal():
        raise ValueError(f"LIBRA_VRRP_UID={uid!r} is no user id")
    return Settings(
        node=node,
        state=Path(environ.get("LIBRA_STATE", f"/var/lib/libra/{node}")),
        uid=int(uid),
        config=Path(options["--config"]) if "--config" in options else None,
    )


def _options(arguments: list[str]) -> dict[str, str]:
    """Read `--name value` and `--name=value`; raise `ValueError`."""
    parts = [part for one in arguments for part in _parts(one)]
    options = dict(zip(parts[::2], parts[1::2], strict=False))
    if len(parts) % 2 or not options.keys() <= OPTIONS:
        raise ValueError(f"{USAGE} (--help says more)")
    return options


def _parts(argument: str) -> list[str]:
    return argument.split("=", 1) if argument.startswith("--") else [argument]
