"""Check `grpc`, from the config."""

from __future__ import annotations

from dataclasses import replace

from libra_health.asked import tls
from libra_health.asked.https import name_of
from libra_health.checks.grpc import GrpcSpec
from libra_health.handshake import TlsSpec
from libra_health.wire import Target
from libra_schemas import config as written


def asked(spec: written.GrpcSpec, target: Target) -> GrpcSpec:
    """Translate."""
    import libra_health.protocols.http2  # noqa: F401, PLC0415  slow: here, not in the driver's thread

    return GrpcSpec(spec.authority or str(target), spec.service, _tls(spec, target))


def _tls(spec: written.GrpcSpec, target: Target) -> TlsSpec | None:
    """Speak TLS with nobody who does not choose HTTP/2 (RFC 9113 section 3.2)."""
    if spec.tls is None:
        return None
    secured = tls.asked(spec.tls, target, name_of(spec.authority or ""))
    return replace(secured, tls=replace(secured.tls, alpn=("h2",)))
