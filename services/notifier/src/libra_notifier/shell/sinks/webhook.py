"""Webhook: POST the exact stored bytes; any 2xx means taken (CloudEvents HTTP binding 1.0)."""

import os
import socket
import time
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from libra_notifier.hiding import hidden, parts_of
from libra_notifier.notice import Notice
from libra_notifier.retry import Delivered, Failed, Outcome
from libra_notifier.shell.names import Names
from libra_notifier.shell.secret import UnreadableSecret, read_secret
from libra_notifier.signature import headers
from libra_schemas.config.notify import WebhookSink
from libra_schemas.text import one_line

_ANSWER_LIMIT = 4096
"""Bytes of an answer looked at; far more than is told, so that no secret is cut in two."""

_UNBOUNDED = aiohttp.ClientTimeout()
"""The sink's timeout bounds the whole attempt."""

_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
"""getnameinfo(3) without a look-up: it keeps the scope of a link-local address."""

_TAKEN = range(200, 300)


async def deliver(sink: WebhookSink, notice: Notice, names: Names) -> Outcome:
    """Try once. The URL is a secret: no detail repeats it. Redirects are not followed."""
    try:
        url = _url(read_secret("url_file", sink.url_file))
        secret = read_secret("secret_file", sink.secret_file).encode() if sink.secret_file else None
    except UnreadableSecret as error:
        return Failed(str(error))
    except ValueError:
        return Failed(f"url_file {sink.url_file}: holds no http or https URL")
    signed = headers(notice.key, int(time.time()), notice.raw, secret)
    try:
        async with (
            aiohttp.ClientSession(connector=_connector(names), timeout=_UNBOUNDED) as session,
            session.post(url, data=notice.raw, headers=signed, allow_redirects=False) as response,
        ):
            sent = (*parts_of(url), *parts_of(str(response.url)))
            return await _judge(response, (*sent, secret.decode() if secret else ""))
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Failed(one_line(_said(error)))


class _Resolver(AbstractResolver):
    """Has a sink's own look-ups answer aiohttp."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look *host* up; raise OSError."""
        return [
            ResolveResult(
                hostname=host,
                host=socket.getnameinfo(address, _NUMERIC)[0],
                port=address[1],
                family=of,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for of, protocol, address in await self._names.look_up(host, port, family)
        ]

    async def close(self) -> None:
        """Keep what belongs to the sink."""


def _connector(names: Names) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(resolver=_Resolver(names))


def _url(text: str) -> str:
    """Check that *text* is an absolute http or https URL; raise ValueError."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("no http or https URL")
    return text


def _said(error: Exception) -> str:
    """Say what went wrong in words that cannot hold the URL: aiohttp puts it into many errors."""
    match error:
        case aiohttp.ClientConnectorError():
            return str(error)
        case aiohttp.ClientResponseError():
            return f"answer not understood: {error.message}"
        case UnicodeError():
            return "url_file holds no host name that can be looked up"
        case aiohttp.InvalidURL():
            return "url_file holds no http or https URL"
        case aiohttp.ServerDisconnectedError():
            return "the receiver closed the connection"
        case OSError() if error.errno:
            return os.strerror(error.errno)
        case _:
            return type(error).__name__


async def _judge(response: aiohttp.ClientResponse, secrets: tuple[str, ...]) -> Outcome:
    line = hidden(f"{response.status} {response.reason or ''}", secrets)
    if response.status in _TAKEN:
        return Delivered(one_line(line))
    said = hidden((await response.content.read(_ANSWER_LIMIT)).decode(errors="replace"), secrets)
    return Failed(one_line(f"{line} {said}"), after=_retry_after(response))


def _retry_after(response: aiohttp.ClientResponse) -> float:
    """Read Retry-After where it is seconds (RFC 9110 §10.2.3); a date counts as not given."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdecimal() else 0.0
