"""What the parent and the machine log: lines that hold nobody up, without a logging library."""

import os
from pathlib import Path

from libra_runtime.barrier import barrier
from libra_runtime.outlet import Outlet
from libra_runtime.plain import Plain


def begin() -> Outlet:
    """Log as this node from now on; its `dropped` counts what nobody read."""
    return _plain().install()


def log(event: str, level: str = "info", **facts: object) -> None:
    """Log a constant phrase, and facts beside it."""
    _plain().log(event, level, **facts)


def closed(refused: OSError) -> str:
    """Say in one sentence why the state directory, or what is in it, is not to be had."""
    why = f"{refused.filename}: {refused.strerror}" if refused.filename else str(refused)
    if not isinstance(refused, PermissionError) or not refused.filename:
        return why
    found = barrier(Path(os.fsdecode(refused.filename)))
    if found is None:
        return why
    if os.geteuid() != 0:
        return f"{why}: {found}: run libra-vrrp as root, or name another directory in LIBRA_STATE"
    return f"{why}: {found} without CAP_DAC_OVERRIDE: `chown root {found.path}`"


def _plain() -> Plain:
    return Plain("vrrp", os.environ.get("LIBRA_NODE", ""))
