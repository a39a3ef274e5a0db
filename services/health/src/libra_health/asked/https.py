"""Check `https`, from the config."""

from __future__ import annotations

from typing import Final

from libra_health.asked import http, tls
from libra_health.checks.https import HttpsSpec
from libra_health.wire import Target
from libra_schemas import config as written

PORT: Final = 443


def asked(spec: written.HttpSpec, target: Target) -> HttpsSpec:
    """Translate; raises ValueError where no such request can be written."""
    plain = http.asked(spec, target, PORT)
    secured = tls.asked(spec.tls or written.TlsSpec(), target, name_of(spec.host or ""))
    return HttpsSpec(
        plain.asks, plain.body_limit, plain.keeps, plain.redirects, plain.secrets, secured
    )


def name_of(host: str) -> str:
    """Take the port off a `Host` header: `a.example:8443`, `[2001:db8::1]:8443`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host
