"""HTTP/1.1 over a unix socket: one request per connection, JSON both ways, parsed by h11.

h11 and asyncio alone: the gateway must start in a fraction of a second where a web framework's
import takes several times as long.
"""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import h11

MAX_BODY = 8 << 20
"""Bytes; the largest event (a config) that NATS takes."""

REQUEST_TIMEOUT = 30.0
"""Seconds from the connection to the whole request."""

RESPONSE_TIMEOUT = 30.0
"""Seconds that a client has to take the whole response in; then the connection is dropped."""

MAX_BODIES = 8 * MAX_BODY
"""Bytes of all requests' bodies together while they arrive."""

_UCRED = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Request:
    """One request; *uid* is of the process that sent it (SO_PEERCRED, unix(7))."""

    method: str
    path: str
    body: bytes
    uid: int

    def json(self) -> Any:
        """Parse the body; raise ValueError."""
        try:
            return json.loads(self.body or b"null")
        except RecursionError:
            raise ValueError("the body is nested too deeply") from None


@dataclass(frozen=True, slots=True)
class Response:
    """A status and a JSON body."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def error(cls, status: HTTPStatus, sentence: str, **more: Any) -> "Response":
        """Say in one sentence what is wrong."""
        return cls(status, {"error": sentence, **more})


Answer = Callable[[Request], Awaitable[Response]]


class BadRequest(Exception):
    """What came is no request we serve; the message is one sentence."""


class Full(Exception):
    """There is no room for this request now; the message is one sentence."""


class _Room:
    """How many bytes of bodies are here, of all connections together."""

    def __init__(self) -> None:
        self._taken = 0

    @contextmanager
    def guest(self) -> Iterator[Callable[[int], None]]:
        """Give a way to take that many bytes more (it raises Full); all leave at the end."""
        mine = 0

        def take(size: int) -> None:
            nonlocal mine
            if self._taken + size > MAX_BODIES:
                raise Full("too many large requests at once: try again")
            mine += size
            self._taken += size

        try:
            yield take
        finally:
            self._taken -= mine


async def listen(path: Path, answer: Answer, mode: int = 0o660) -> asyncio.Server:
    """Serve on the unix socket *path*, replacing one that a predecessor left."""
    _clear(path)
    room = _Room()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, TimeoutError):
            await _serve_one(reader, writer, answer, room)
        await _let_go(writer)

    server = await asyncio.start_unix_server(connection, path)
    _permit(path, mode)
    return server


def _clear(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


def _permit(path: Path, mode: int) -> None:
    path.chmod(mode)


async def _let_go(writer: asyncio.StreamWriter) -> None:
    """Close once everything is taken in; drop what a client never reads."""
    writer.close()
    try:
        with suppress(ConnectionError):
            async with asyncio.timeout(RESPONSE_TIMEOUT):
                await writer.wait_closed()
    except TimeoutError:
        writer.transport.abort()


async def _serve_one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer, room: _Room
) -> None:
    wire = h11.Connection(h11.SERVER)
    try:
        with room.guest() as take:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                request = await _read(wire, reader, _uid(writer), take)
            if request is None:
                return
            response = await answer(request)
    except h11.RemoteProtocolError as error:
        response = Response.error(HTTPStatus(error.error_status_hint), f"bad request: {error}")
    except BadRequest as error:
        response = Response.error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
    except Full as error:
        response = Response.error(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    await _write(wire, writer, response)


async def _read(
    wire: h11.Connection, reader: asyncio.StreamReader, uid: int, take: Callable[[int], None]
) -> Request | None:
    """Read one request, None where the peer left before it began."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            take(len(event.data))
            body += event.data
            if len(body) > MAX_BODY:
                raise BadRequest(f"a body holds at most {MAX_BODY} bytes")
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            path = head.target.decode("ascii", "replace").partition("?")[0]
            return Request(head.method.decode("ascii"), path, bytes(body), uid)
        else:
            return None


async def _write(wire: h11.Connection, writer: asyncio.StreamWriter, response: Response) -> None:
    body = json.dumps(response.body, ensure_ascii=False).encode() + b"\n"
    headers = [
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("connection", "close"),
    ]
    if wire.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
        return
    for event in (
        h11.Response(status_code=response.status, headers=headers),
        h11.Data(data=body),
        h11.EndOfMessage(),
    ):
        writer.write(wire.send(event) or b"")
    async with asyncio.timeout(RESPONSE_TIMEOUT):
        await writer.drain()


def _uid(writer: asyncio.StreamWriter) -> int:
    """Ask the kernel who is at the other end."""
    peer = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size
    )
    return int(_UCRED.unpack(peer)[1])
