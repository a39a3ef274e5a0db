"""Check `udp`, from the config."""

from __future__ import annotations

from libra_health.asked.spoken import expected, sent
from libra_health.checks.udp import UdpSpec
from libra_health.wire import Target
from libra_schemas import config as written


def asked(spec: written.UdpSpec, _target: Target) -> UdpSpec:
    """Translate; raises ValueError where the pattern cannot be matched against bytes."""
    pattern = expected(spec)
    silence = spec.silence or ("fail" if pattern else "pass")
    return UdpSpec(sent(spec), pattern, silence_passes=silence == "pass")
