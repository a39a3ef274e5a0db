"""Webhooks, to a real HTTP server."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from libra_notifier.retry import Delivered, Failed
from libra_notifier.shell.names import Names
from libra_notifier.shell.sinks.webhook import deliver
from libra_schemas.config.notify import WebhookSink


@pytest.fixture
def sink(receiver: Any, node: Any) -> WebhookSink:
    return WebhookSink(url_file=node.secret("url", receiver.url))


def answering(receiver: Any, status: int, text: str = "", **headers: str) -> None:
    async def answer(_: Any) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    receiver.answer = answer


async def test_any_2xx_means_taken(receiver: Any, sink: WebhookSink, make: Any) -> None:
    answering(receiver, 202, "queued")
    assert await deliver(sink, make.notice(), Names()) == Delivered("202 Accepted")


async def test_a_status_counts_though_the_body_never_ends(node: Any, make: Any) -> None:
    async with await speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n") as server:
        port = server.sockets[0].getsockname()[1]
        url = node.secret("url", f"http://127.0.0.1:{port}/")
        assert await deliver(WebhookSink(url_file=url), make.notice(), Names()) == Delivered(
            "200 OK"
        )


async def test_without_a_secret_the_request_is_not_signed(
    receiver: Any, sink: WebhookSink, make: Any
) -> None:
    await deliver(sink, make.notice(), Names())
    assert "Libra-Signature" not in receiver.hooks[0].headers
    assert receiver.hooks[0].key == "ops-id-1"


async def test_a_redirect_is_not_followed(receiver: Any, sink: WebhookSink, make: Any) -> None:
    answering(receiver, 307, Location=receiver.url + "/elsewhere")
    assert isinstance(await deliver(sink, make.notice(), Names()), Failed)
    assert len(receiver.hooks) == 1


async def test_a_receiver_may_ask_for_patience(receiver: Any, sink: WebhookSink, make: Any) -> None:
    answering(receiver, 429, **{"Retry-After": "120"})
    assert await deliver(sink, make.notice(), Names()) == Failed(
        "429 Too Many Requests", after=120.0
    )
    answering(receiver, 503, **{"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"})
    assert await deliver(sink, make.notice(), Names()) == Failed("503 Service Unavailable")


async def test_a_huge_answer_is_cut(receiver: Any, sink: WebhookSink, make: Any) -> None:
    answering(receiver, 500, "x" * 1_000_000)
    failed = await deliver(sink, make.notice(), Names())
    assert isinstance(failed, Failed)
    assert len(failed.detail) <= 300


@pytest.mark.parametrize(
    "url",
    [
        "not a url token=s3cr3t",
        "http://",
        "ftp://127.0.0.1/s3cr3t",
        "http://[::1/s3cr3t",
        "//s3cr3t",
    ],
)
async def test_what_is_no_url_fails_without_being_repeated(node: Any, make: Any, url: str) -> None:
    failed = await deliver(WebhookSink(url_file=node.secret("url", url)), make.notice(), Names())
    assert isinstance(failed, Failed)
    assert "s3cr3t" not in failed.detail


async def test_a_server_that_does_not_speak_http_is_a_failure_without_the_url(
    postbox: Any, node: Any, make: Any
) -> None:
    url = node.secret("url", f"http://127.0.0.1:{postbox.port}/s3cr3t")
    failed = await deliver(WebhookSink(url_file=url), make.notice(), Names())
    assert isinstance(failed, Failed)
    assert failed.detail
    assert "s3cr3t" not in failed.detail


async def speaking(answer: bytes) -> asyncio.Server:
    """Listen on loopback; answer whatever is asked and hang up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(b"", "the receiver closed the connection", id="silence"),
        pytest.param(b"220 mail\r\n\r\n", "answer not understood", id="not HTTP"),
        pytest.param(b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nx", "500 No x", id="cut short"),
    ],
)
async def test_a_broken_answer_is_a_failure_without_the_url(
    node: Any, make: Any, answer: bytes, words: str
) -> None:
    async with await speaking(answer) as server:
        port = server.sockets[0].getsockname()[1]
        url = node.secret("url", f"http://127.0.0.1:{port}/s3cr3t")
        failed = await deliver(WebhookSink(url_file=url), make.notice(), Names())
    assert isinstance(failed, Failed)
    assert words in failed.detail
    assert "s3cr3t" not in failed.detail


async def test_an_unreadable_file_is_a_failure_that_names_it(node: Any, make: Any) -> None:
    empty = node.secret("url", "")
    assert await deliver(WebhookSink(url_file=empty), make.notice(), Names()) == Failed(
        f"url_file {empty}: empty"
    )
    binary = node.folder / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    assert await deliver(WebhookSink(url_file=str(binary)), make.notice(), Names()) == Failed(
        f"url_file {binary}: not UTF-8 text"
    )
