"""Webhook: POST the exact stored bytes; any 2xx means taken (CloudEvents HTTP binding 1.0)."""

import time

import aiohttp

from libra_notifier.notice import Notice
from libra_notifier.render import one_line
from libra_notifier.retry import Delivered, Failed, Outcome
from libra_notifier.shell.secret import UnreadableSecret, read_secret
from libra_notifier.signature import headers
from libra_schemas.config.notify import WebhookSink

_ANSWER_LIMIT = 512
"""Bytes of an answer worth keeping."""

_TAKEN = range(200, 300)


async def deliver(sink: WebhookSink, notice: Notice) -> Outcome:
    """Try once. The URL is a secret: no detail repeats it. Redirects are not followed."""
    try:
        url = read_secret("url_file", sink.url_file)
        secret = read_secret("secret_file", sink.secret_file).encode() if sink.secret_file else None
    except UnreadableSecret as error:
        return Failed(str(error))
    signed = headers(notice.key, int(time.time()), notice.raw, secret)
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=notice.raw, headers=signed, allow_redirects=False) as response,
        ):
            return await _judge(response)
    except aiohttp.ClientResponseError as error:
        return Failed(one_line(f"answer not understood: {error.message}"))
    except (aiohttp.InvalidURL, ValueError):
        return Failed(f"url_file {sink.url_file}: holds no URL")
    except (aiohttp.ClientError, OSError) as error:
        return Failed(one_line(str(error) or type(error).__name__))


async def _judge(response: aiohttp.ClientResponse) -> Outcome:
    said = (await response.content.read(_ANSWER_LIMIT)).decode(errors="replace")
    detail = one_line(f"{response.status} {response.reason or ''} {said}")
    if response.status in _TAKEN:
        return Delivered(detail)
    return Failed(detail, after=_retry_after(response))


def _retry_after(response: aiohttp.ClientResponse) -> float:
    """Read Retry-After where it is seconds (RFC 9110 §10.2.3); a date counts as not given."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdecimal() else 0.0
