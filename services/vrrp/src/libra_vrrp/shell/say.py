"""What the parent and the machine log: lines that hold nobody up, without a logging library."""

import os

from libra_runtime.outlet import Outlet
from libra_runtime.plain import Plain


def begin() -> Outlet:
    """Log as this node from now on; its `dropped` counts what nobody read."""
    return _plain().install()


def log(event: str, level: str = "info", **facts: object) -> None:
    """Log a constant phrase, and facts beside it."""
    _plain().log(event, level, **facts)


def _plain() -> Plain:
    return Plain("vrrp", os.environ.get("LIBRA_NODE", ""))
