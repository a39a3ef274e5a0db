"""TLS for checks: a session between two memory buffers, which owns no socket.

The one rule: what the other side does wrong ends in `Unsecured`, whatever it sent.
"""

from __future__ import annotations

import ssl
import time
from typing import Any, Final

from libra_health.certificate import told_names
from libra_health.mistaken import BEGINNING, no_tls
from libra_health.outcome import Reason
from libra_health.wire import Ended, Received, Secured, Tls, Unsecured

READ_SIZE: Final = 65536
_OF_OTHERS: Final = frozenset((62, 64))
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH (openssl/x509_vfy.h)."""
_DER: Final = 2
"""X509_FILETYPE_ASN1 (openssl/x509.h), as `_ssl` takes it."""


class Session:
    """One TLS connection; the channel carries `outgoing` away and feeds what comes."""

    __slots__ = ("_beginning", "_coming", "_object", "_tls", "outgoing")

    def __init__(self, context: ssl.SSLContext, tls: Tls) -> None:
        self._tls = tls
        self._beginning = b""
        self._coming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._coming, self.outgoing, server_hostname=tls.name or None
        )

    def feed(self, data: bytes) -> None:
        """Take what came from the other side; b"" where it closed."""
        if data:
            self._beginning = self._beginning or data[:BEGINNING]
            self._coming.write(data)
        else:
            self._coming.write_eof()

    def shake(self) -> Secured | Unsecured | None:
        """Go on with the handshake; None while more must come."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLCertVerificationError as error:
            return Unsecured(Reason.CERTIFICATE, self._disbelieved(error))
        except ssl.SSLError as error:
            why = no_tls(self._beginning) or _told("the handshake", error)
            return Unsecured(Reason.TLS, why)
        left = self._left() if self._tls.verify else None
        alpn = self._object.selected_alpn_protocol() or ""
        return Secured(left, self._object.version() or "", alpn)

    def read(self) -> Received | Ended | Unsecured | None:
        """Give what was deciphered; None while more must come."""
        try:
            data = self._object.read(READ_SIZE)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return Ended()
        except ssl.SSLError as error:
            return Unsecured(Reason.TLS, _told("the connection", error))
        return Received(data) if data else Ended()

    def write(self, data: bytes) -> Unsecured | None:
        """Encipher `data` into `outgoing`."""
        try:
            self._object.write(data)
        except ssl.SSLError as error:
            return Unsecured(Reason.TLS, _told("the connection", error))
        return None

    def _disbelieved(self, error: ssl.SSLCertVerificationError) -> str:
        """Say why a certificate is not believed; one for others says for whom it is.

        Until Python 3.13 only what is private in `ssl` shows it; where that is gone nothing is lost
        but the names.
        """
        said = error.verify_message.rstrip(".")
        if error.verify_code not in _OF_OTHERS:
            return said
        inner = getattr(self._object, "_sslobj", None)
        chain: list[Any] = getattr(inner, "get_unverified_chain", list)()
        names = told_names(chain[0].public_bytes(_DER)) if chain else ""
        return f"{said}; {names}" if names else said

    def _left(self) -> float | None:
        """Tell how many seconds the other's certificate is still valid."""
        end = (self._object.getpeercert() or {}).get("notAfter")
        return ssl.cert_time_to_seconds(end) - time.time() if isinstance(end, str) else None


def _told(what: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLEOFError):
        return f"closed in the middle of {what}"
    reason = (error.reason or "not TLS").replace("_", " ").lower()
    return f"{what} failed: {reason}"
