"""Check `tcp`, from the config."""

from __future__ import annotations

from libra_health.checks.tcp import TcpSpec
from libra_health.patterns import compiled
from libra_health.wire import Target
from libra_schemas import config as written


def asked(spec: written.TcpSpec, _target: Target) -> TcpSpec:
    """Translate; raises ValueError where the pattern cannot be matched against bytes."""
    compiled(spec.expect or "")
    return TcpSpec((spec.send or "").encode(), spec.expect or "")
