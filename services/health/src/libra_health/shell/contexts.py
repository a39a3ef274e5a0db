"""What TLS trusts and shows, read from files once: the contexts that sessions are made in.

The one rule: a file of ours that lacks is told as our trouble, and never holds up the checks.
"""

from __future__ import annotations

import os
import random
import re
import ssl
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from libra_health.outcome import Reason
from libra_health.shell.tls import Session
from libra_health.wire import Tls, Unsecured

log = structlog.get_logger()

KEPT: Final = 4096
"""Contexts that are kept at most, of 5 to 15 KiB each without what they trust."""
TRUSTED: Final = 65536
"""Certificates that all contexts together trust at most: about 6 KiB each, 0.9 MiB a system's.

To read a system's takes about 20 ms, of a file of a few 0.3 ms.
"""
_TOO_MANY: Final = (
    f"checks differ in `certificate`, `key` or `ca` and trust over {TRUSTED} certificates "
    f"together, or are over {KEPT}; a `ca` that holds few certificates takes less than the system's"
)
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")


Stamps: TypeAlias = tuple[tuple[str, int, int], ...]


class Contexts:
    """Makes sessions; what was read from files is kept until one of them changes."""

    def __init__(self) -> None:
        self._kept: dict[Tls, tuple[Stamps, ssl.SSLContext, int]] = {}
        self._trusted = 0
        self._gone: set[Tls] = set()
        self._is_warned = False

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
        """Give what is kept, or read it."""
        stamps = _stamps(asked)
        kept = self._kept.get(asked)
        if kept is None or kept[0] != stamps:
            context = _context(asked)
            self._drop(asked)
            kept = stamps, context, context.cert_store_stats()["x509"]
            self._make_room(kept[2])
            self._kept[asked] = kept
            self._trusted += kept[2]
            self._warn(asked)
        return kept[1]

    def _make_room(self, trusted: int) -> None:
        """Drop any: checks ask in turn, and who was asked longest ago is the next to be."""
        while self._kept and (len(self._kept) >= KEPT or self._trusted + trusted > TRUSTED):
            any_of_them = random.choice(tuple(self._kept))  # noqa: S311  hides nothing
            self._drop(any_of_them)
            if not self._is_warned:
                self._gone.add(any_of_them)

    def _drop(self, asked: Tls) -> None:
        if asked in self._kept:
            self._trusted -= self._kept.pop(asked)[2]

    def _warn(self, asked: Tls) -> None:
        """Say once that what was dropped is asked again: reading it takes the checks' time."""
        if asked not in self._gone:
            return
        self._gone.clear()
        self._is_warned = True
        log.warning("TLS files are read anew at many runs", kept=len(self._kept), why=_TOO_MANY)


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
