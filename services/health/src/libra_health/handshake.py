"""What a check makes of a TLS handshake: who was met, and for how long that holds.

The one rule: files of ours that lack are our trouble, whatever else is wrong is the backend's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from libra_health.outcome import Errored, Failed, Reason
from libra_health.wire import Secured, Tls, Unsecured

_DAY: Final = 86400.0
_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class TlsSpec:
    """How TLS is spoken. `expires_within`: seconds that the certificate must be good for."""

    tls: Tls
    expires_within: float = 0.0


def unsecured(event: Unsecured, latency: float) -> Failed | Errored:
    """Translate a handshake that did not come about."""
    if event.reason is Reason.LOCAL:
        return Errored(event.reason, event.detail)
    return Failed(event.reason, event.detail, latency)


def shortcoming(spec: TlsSpec, event: Secured, latency: float) -> Failed | None:
    """Tell what a handshake that came about lacks: a protocol, or time until it expires."""
    if spec.tls.alpn and event.alpn not in spec.tls.alpn:
        wanted = ", ".join(spec.tls.alpn)
        chosen = f"chose {event.alpn}" if event.alpn else "chose no protocol"
        return Failed(Reason.TLS, f"ALPN: {chosen}, wanted {wanted}", latency)
    if event.left is not None and event.left < spec.expires_within:
        detail = f"certificate expires in {days(event.left)}, wanted {days(spec.expires_within)}"
        return Failed(Reason.EXPIRY, f"{detail} at least", latency)
    return None


def days(seconds: float) -> str:
    """Write a span in whole days, below ten to a tenth, below one in hours; never more than it is.

    What is left of a certificate is told by this alone, so that it is one number everywhere.
    """
    size, unit = (_DAY, "day") if seconds >= _DAY else (_HOUR, "hour")
    tenths = int(round(seconds, 3) * 10 // size)
    whole, tenth = divmod(tenths, 10)
    number = f"{whole}.{tenth}" if tenth and whole < 10 else str(whole)  # noqa: PLR2004
    return f"{number} {unit}{'' if number == '1' else 's'}"
