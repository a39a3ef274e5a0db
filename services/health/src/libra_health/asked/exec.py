"""Check `exec`, from the config."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from libra_health.checks.exec import ExecSpec, Weighing
from libra_health.wire import Target
from libra_schemas import config as written

_FIXED: Final = (
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("LANG", "C.UTF-8"),
)


def asked(spec: written.ExecSpec, target: Target) -> ExecSpec:
    """Translate; the program learns from its environment what to look at."""
    environment = dict(_FIXED) | spec.environment | dict(_told(target))
    return ExecSpec(
        spec.command,
        tuple(environment.items()),
        spec.user or "",
        Weighing(spec.weight or ""),
    )


def _told(target: Target) -> Iterator[tuple[str, str]]:
    yield "LIBRA_ADDRESS", target.address
    yield "LIBRA_FAMILY", "ipv6" if target.is_ipv6 else "ipv4"
    if target.port:
        yield "LIBRA_PORT", str(target.port)
    origin = target.origin
    if origin.address:
        yield "LIBRA_BIND", origin.address
    if origin.interface:
        yield "LIBRA_INTERFACE", origin.interface
    if origin.fwmark:
        yield "LIBRA_FWMARK", str(origin.fwmark)
