"""Check `tls`, from the config."""

from __future__ import annotations

from libra_health.handshake import TlsSpec
from libra_health.wire import Target, Tls
from libra_schemas import config as written


def asked(spec: written.TlsSpec, target: Target, name: str = "") -> TlsSpec:
    """Translate; `name` is asked for where the spec names none, else the address probed."""
    tls = Tls(
        spec.name or name or target.address,
        verify=spec.verify,
        ca=spec.ca_file or "",
        certificate=spec.certificate_file or "",
        key=spec.key_file or "",
        alpn=spec.alpn,
    )
    return TlsSpec(tls, spec.expires_within or 0.0)
