"""Check `smtp`, from the config."""

from __future__ import annotations

from libra_health.asked import tls
from libra_health.checks.smtp import SmtpSpec
from libra_health.wire import Target
from libra_schemas import config as written


def asked(spec: written.SmtpSpec, target: Target) -> SmtpSpec:
    """Translate."""
    speaks_tls = spec.starttls or spec.tls is not None
    return SmtpSpec(
        spec.helo,
        tls=tls.asked(spec.tls or written.TlsSpec(), target) if speaks_tls else None,
        starttls=spec.starttls,
        user=spec.user or "",
        password=spec.password_file or "",
    )
