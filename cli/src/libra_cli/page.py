"""Fetches one page as a check does: nothing followed, nothing unpacked, nothing endless."""

import http.client
import socket
import ssl
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from libra_cli.exits import MISSING, UNREACHABLE, CommandError

MOST = 1 << 20
"""Bytes that a check can look at (`max_body`)."""
TIMEOUT = 10.0
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe over TLS, and what to show: files, None for what the system has."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    verifies: bool = True


def fetch(url: str, host: str | None, trust: Trust) -> bytes:
    """Fetch the body of a page; raises CommandError unless it is there, whole, and no error."""
    where = _parsed(url)
    name = host or where.netloc.rpartition("@")[2]
    try:
        connection = _connected(where, urlsplit(f"//{name}").hostname or "", trust)
        try:
            return _asked(connection, where, name, url)
        finally:
            connection.close()
    except ssl.SSLCertVerificationError as error:
        why = f"{url}: {error.verify_message.rstrip('.')}: name --host or --ca-file, or --insecure"
        raise CommandError(why, UNREACHABLE) from None
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CommandError(f"{url}: {why}", UNREACHABLE) from None


def _parsed(url: str) -> SplitResult:
    try:
        where = urlsplit(url)
        _ = where.port
    except ValueError as error:
        raise CommandError(f"{url}: {error}") from None
    if where.scheme not in PORTS or not where.hostname:
        raise CommandError(f"{url}: expected a URL such as http://10.0.1.11/healthz")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise CommandError(f"{url}: a URL holds printable ASCII without blanks; write %20 for one")
    return where


def _connected(where: SplitResult, name: str, trust: Trust) -> http.client.HTTPConnection:
    host, port = where.hostname or "", where.port or PORTS[where.scheme]
    context = _context(trust) if where.scheme == "https" else None
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    sock = socket.create_connection((host, port), TIMEOUT)
    with ExitStack() as unless_done:
        unless_done.enter_context(sock)
        connection.sock = (
            sock if context is None else context.wrap_socket(sock, server_hostname=name)
        )
        unless_done.pop_all()
    return connection


def _context(trust: Trust) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=trust.ca_file)
        if trust.certificate_file is not None:
            context.load_cert_chain(trust.certificate_file)
    except (OSError, ValueError) as error:
        files = " ".join(str(each) for each in (trust.ca_file, trust.certificate_file) if each)
        why = getattr(error, "strerror", None) or "no certificates as expected"
        raise CommandError(f"{files}: {why}", MISSING) from None
    if not trust.verifies:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _asked(
    connection: http.client.HTTPConnection, where: SplitResult, name: str, url: str
) -> bytes:
    query = f"?{where.query}" if where.query else ""
    connection.putrequest(
        "GET", f"{where.path or '/'}{query}", skip_host=True, skip_accept_encoding=True
    )
    for header in (("Host", name), ("User-Agent", "LibrA-health"), ("Connection", "close")):
        connection.putheader(*header)
    connection.endheaders()
    answer = connection.getresponse()
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        there = answer.headers.get("Location")
        where_to = f", redirected to {there!r}" if there else ""
        raise CommandError(
            f"{url}: status {answer.status}{where_to}; a page with status 200 is due"
        )
    body = answer.read(MOST + 1)
    if len(body) > MOST:
        raise CommandError(
            f"{url}: the body has more than {MOST} bytes, the most that a check reads"
        )
    if answer.length:
        raise http.client.IncompleteRead(body, answer.length)
    return body
