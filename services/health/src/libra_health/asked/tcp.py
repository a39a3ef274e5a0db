"""Check `tcp`, from the config."""

from __future__ import annotations

from libra_health.asked.presets import PRESETS
from libra_health.asked.spoken import Spoken, expected, sent
from libra_health.checks.tcp import Exchange, TcpSpec
from libra_health.wire import Target
from libra_schemas import config as written


def asked(spec: written.TcpSpec, _target: Target) -> TcpSpec:
    """Translate; raises ValueError where a pattern cannot be matched against bytes."""
    if spec.preset is not None:
        return PRESETS[spec.preset]
    if spec.exchanges is not None:
        return TcpSpec(tuple(_exchange(each) for each in spec.exchanges))
    short = _exchange(spec)
    return TcpSpec((short,)) if short.send or short.expect else TcpSpec()


def _exchange(part: Spoken) -> Exchange:
    return Exchange(sent(part), expected(part))
