"""TLS for checks: a session between two memory buffers, which owns no socket.

The one rule: what the other side does wrong ends in `Unsecured`, whatever it sent.
"""

from __future__ import annotations

import os
import re
import ssl
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from libra_health.certificate import told_names
from libra_health.mistaken import BEGINNING, no_tls
from libra_health.outcome import Reason
from libra_health.wire import Ended, Received, Secured, Tls, Unsecured

READ_SIZE: Final = 65536
KEPT: Final = 4096
"""Contexts that are kept at most, of 5 to 15 KiB each without what they trust."""
TRUSTED: Final = 65536
"""Certificates that all contexts together trust at most: about 6 KiB each, 0.9 MiB a system's."""
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")

_OF_OTHERS: Final = frozenset((62, 64))
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH (openssl/x509_vfy.h)."""
_DER: Final = 2
"""X509_FILETYPE_ASN1 (openssl/x509.h), as `_ssl` takes it."""

Stamps: TypeAlias = tuple[tuple[str, int, int], ...]


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


class Contexts:
    """Makes sessions; what was read from files is kept until one of them changes."""

    def __init__(self) -> None:
        self._kept: dict[Tls, tuple[Stamps, ssl.SSLContext, int]] = {}
        self._trusted = 0

    def session(self, tls: Tls) -> Session | Unsecured:
        """Begin a session; `Unsecured` of reason LOCAL where a file of ours is wrong.

        What sessions differ in without a file is set on the context before each, which copies it.
        """
        try:
            context = self._context(replace(tls, name="", alpn=()))
            context.check_hostname = tls.verify and bool(tls.name)
            context.set_alpn_protocols(list(tls.alpn))
            return Session(context, tls)
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            return Unsecured(Reason.LOCAL, f"TLS files{where}: {error.strerror or error}")
        except ValueError as error:
            return Unsecured(Reason.LOCAL, f"TLS for {tls.name or 'no name'}: {error}")

    def _context(self, asked: Tls) -> ssl.SSLContext:
        """Give what is kept, or read it; what was not used for longest goes."""
        stamps = _stamps(asked)
        kept = self._kept.get(asked)
        if kept is not None:
            self._drop(asked)
        if kept is None or kept[0] != stamps:
            context = _context(asked)
            kept = stamps, context, context.cert_store_stats()["x509"]
        self._kept[asked] = kept
        self._trusted += kept[2]
        while len(self._kept) > 1 and (len(self._kept) > KEPT or self._trusted > TRUSTED):
            self._drop(next(iter(self._kept)))
        return kept[1]

    def _drop(self, asked: Tls) -> None:
        self._trusted -= self._kept.pop(asked)[2]


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.options |= ssl.OP_NO_RENEGOTIATION  # in the midst of one nothing can be written
    if not tls.verify:
        context.verify_mode = ssl.CERT_NONE
    elif tls.ca:
        _reading(tls.ca, lambda: context.load_verify_locations(tls.ca))
    else:
        _trust_system(context)
    if tls.certificate:
        key = tls.key or None
        _reading(
            f"{tls.certificate} {key or ''}".rstrip(),
            lambda: context.load_cert_chain(tls.certificate, key, _refuse_passphrase),
        )
    return context


def _trust_system(context: ssl.SSLContext) -> None:
    """Trust whom this machine trusts; raises OSError where that cannot be read.

    `load_default_certs` would say nothing of it, and trust nobody. A directory is only looked into
    when a certificate is to be verified: none of it is counted before.
    """
    paths = ssl.get_default_verify_paths()
    if file := paths.cafile:
        _reading(file, lambda: context.load_verify_locations(file))
    named = os.environ.get(paths.openssl_capath_env, paths.openssl_capath).split(os.pathsep)
    directories = [each for each in named if each and Path(each).is_dir()]
    if directories:
        context.load_verify_locations(capath=os.pathsep.join(directories))
    if not context.cert_store_stats()["x509"] and not any(map(_has_certificates, directories)):
        raise OSError(0, "no trusted certificates could be read")


def _has_certificates(directory: str) -> bool:
    """Tell whether a directory has a file named as `openssl rehash` names certificates."""
    return any(_HASHED.fullmatch(each.name) for each in Path(directory).iterdir())


def _reading(what: str, read: Callable[[], object]) -> None:
    """Name the files where OpenSSL only says that something is wrong with them."""
    try:
        read()
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or "no PEM as expected"
        raise OSError(error.errno or 0, reason.replace("_", " ").lower(), what) from error


def _refuse_passphrase() -> str:
    raise ValueError("the key is enciphered; a service cannot be asked for its passphrase")


def _stamps(tls: Tls) -> Stamps:
    """Tell how the files look now; raises OSError where one is missing or no regular file.

    A FIFO would hold up every check until somebody writes to it. What remains: a file system that
    hangs (NFS without its server) does so too, in `stat` or when a changed file is read.
    """
    named = [path for path in (tls.ca, tls.certificate, tls.key) if path]
    if tls.verify and not tls.ca:
        named += [path for path in [ssl.get_default_verify_paths().cafile] if path]
    return tuple(_stamp(path) for path in named)


def _stamp(path: str) -> tuple[str, int, int]:
    seen = Path(path).stat()
    if not stat.S_ISREG(seen.st_mode):
        raise OSError(0, "is no regular file", path)
    return path, seen.st_mtime_ns, seen.st_ino


def _told(what: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLEOFError):
        return f"closed in the middle of {what}"
    reason = (error.reason or "not TLS").replace("_", " ").lower()
    return f"{what} failed: {reason}"
