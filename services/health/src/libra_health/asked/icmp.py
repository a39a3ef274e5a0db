"""Check `icmp`, from the config."""

from __future__ import annotations

from libra_health.checks.icmp import IcmpSpec
from libra_health.wire import Target
from libra_schemas import config as written


def asked(spec: written.IcmpSpec, _target: Target) -> IcmpSpec:
    """Translate."""
    return IcmpSpec(spec.size)
