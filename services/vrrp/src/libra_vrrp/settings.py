"""What libra-vrrp is told when it starts; nothing that the machine would have to import."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NOBODY: Final = 65534


@dataclass(frozen=True, slots=True)
class Settings:
    """`uid` is the user that the reporter becomes when it is started as root."""

    node: str
    state: Path
    uid: int = NOBODY

    @property
    def directory(self) -> Path:
        """Where the reporter keeps its things."""
        return self.state / "vrrp"

    @property
    def routers(self) -> Path:
        """The list of routers from which the machine starts."""
        return self.directory / "routers.jsonl"


def from_environment(arguments: list[str], environ: Mapping[str, str] = os.environ) -> Settings:
    """Read `[--node NODE]` and LIBRA_*; raise `ValueError` with one sentence."""
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    if len(arguments) % 2 or not options.keys() <= {"--node"}:
        raise ValueError("usage: libra-vrrp [--node NODE]")
    node = options.get("--node", environ.get("LIBRA_NODE", ""))
    if not node:
        raise ValueError("LIBRA_NODE is not set; set it to the name of this node in the config")
    uid = environ.get("LIBRA_VRRP_UID", str(NOBODY))
    if not uid.isdecimal():
        raise ValueError(f"LIBRA_VRRP_UID={uid!r} is no user id")
    return Settings(
        node=node,
        state=Path(environ.get("LIBRA_STATE", f"/var/lib/libra/{node}")),
        uid=int(uid),
    )
