"""Check `https`: what `http` asks, over TLS.

The one rule: it is `http` in everything but its name.
"""

from __future__ import annotations

from dataclasses import dataclass

from libra_health.checks.http import HttpSpec, start, step


@dataclass(frozen=True, slots=True)
class HttpsSpec(HttpSpec):
    """An `HttpSpec` whose `tls` is given."""


__all__ = ["HttpsSpec", "start", "step"]
