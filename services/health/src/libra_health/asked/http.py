"""Check `http`, from the config."""

from __future__ import annotations

from typing import Final

from libra_health.checks.http import Contains, Expectation, HttpSpec, Matches, request
from libra_health.patterns import compiled
from libra_health.wire import Target
from libra_schemas import config as written

PORT: Final = 80


def asked(spec: written.HttpSpec, target: Target) -> HttpSpec:
    """Translate; raises ValueError where no such request can be written."""
    host = spec.host or str(target).removesuffix(f":{PORT}")
    return HttpSpec(
        request(host, spec.path, spec.method, spec.headers),
        is_head=spec.method == "HEAD",
        statuses=tuple(_range(text) for text in spec.status),
        body=_expectations(spec),
        body_limit=spec.max_body,
    )


def _expectations(spec: written.HttpSpec) -> tuple[Expectation, ...]:
    wanted: list[Expectation] = []
    if spec.contains is not None:
        wanted.append(Contains(spec.contains.encode()))
    if spec.regex is not None:
        compiled(spec.regex)
        wanted.append(Matches(spec.regex))
    return tuple(wanted)


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)
