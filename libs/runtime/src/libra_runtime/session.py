"""One NATS connection from its first byte to its loss; what waits on it then fails at once."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from libra_runtime.client import connect, nats_module, shut
from libra_runtime.fitness import require_durable, require_fit
from libra_runtime.journal import OldServer
from libra_runtime.settings import Edge
from libra_runtime.unreached import knows_us, not_ours, require_ours, unreached
from libra_schemas.errors import LibraError
from libra_schemas.nats import MAX_PAYLOAD, VARZ, inbox_prefix

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

TIMEOUT = 5.0
"""Seconds the server may take for an answer, as JetStream's clients wait.

An fsync may be in it, and messages of others that came first.
"""

_SLOWEST = 1 << 20
"""Bytes a second that a link to the server carries at the least."""

NO_STREAM = 10059
"""JetStream's err_code for a stream that does not exist."""


def patience(size: int) -> float:
    """Tell how many seconds an exchange that carries *size* bytes may take."""
    return TIMEOUT + size / _SLOWEST


LONGEST = patience(MAX_PAYLOAD)
"""Seconds until a stored message has come; whoever asks for it does not know its size."""

Listener = Callable[["Msg | None"], None]
"""Called with every message for an inbox, and with None when the connection is lost."""


class SessionLost(LibraError):
    """The connection ended while something waited on it."""


class ApiError(LibraError):
    """JetStream refused a request; *code* is its err_code (0 where it gave none)."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code


class Session:
    """One connection; `lost` is set when it ended."""

    def __init__(self, client: "Client", prefix: str) -> None:
        self.client = client
        self.lost = asyncio.Event()
        self.inboxes = f"{prefix}.*"
        self._listeners: dict[str, Listener] = {}
        self._count = 0

    def listen(self, listener: Listener) -> str:
        """Open an inbox; return its subject."""
        self._count += 1
        token = str(self._count)
        self._listeners[token] = listener
        return f"{self.inboxes[:-1]}{token}"

    async def subscribe(self, listener: Listener) -> "Subscription":
        """Open an inbox of its own, for deliveries that keep the subject they were stored on."""

        async def arrived(message: "Msg") -> None:
            listener(message)

        from nats.errors import Error  # noqa: PLC0415 - see nats_module

        base, _, token = self.listen(listener).rpartition(".")
        try:
            return await self.client.subscribe(f"{base}.own.{token}", cb=arrived)
        except (Error, OSError) as error:
            raise self._broken(error) from None

    async def unsubscribe(self, subscription: "Subscription") -> None:
        """Close an inbox of its own."""
        from nats.errors import Error  # noqa: PLC0415 - see nats_module

        self.forget(subscription.subject)
        if not self.lost.is_set():
            with suppress(Error, OSError):
                await subscription.unsubscribe()

    def forget(self, inbox: str) -> None:
        """Close an inbox."""
        self._listeners.pop(inbox.rpartition(".")[2], None)

    async def publish(
        self, subject: str, payload: bytes, headers: dict[str, str] | None = None, reply: str = ""
    ) -> None:
        """Hand a message to the connection; raise SessionLost, also where it takes no more."""
        from nats.errors import Error  # noqa: PLC0415 - see nats_module

        if self.lost.is_set():
            raise SessionLost("the connection to nats-server is lost")
        try:
            async with asyncio.timeout(patience(len(payload))) as limit:
                await self.client.publish(subject, payload, reply=reply, headers=headers)
        except (Error, OSError) as error:
            raise self._broken(error) from None
        if limit.expired():  # nats-py swallows what interrupts its flush
            raise self._broken(TimeoutError())

    async def request(
        self,
        subject: str,
        payload: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        limit: float = 0.0,
    ) -> "Msg":
        """Ask and wait for one answer; raise TimeoutError or SessionLost.

        *limit* is how many seconds the answer may take, 0 for what *payload* needs on its way.
        """
        answer: asyncio.Future[Msg | None] = asyncio.get_running_loop().create_future()

        def arrived(message: "Msg | None") -> None:
            if not answer.done():
                answer.set_result(message)

        inbox = self.listen(arrived)
        try:
            await self.publish(subject, payload, headers, inbox)
            async with asyncio.timeout(limit or patience(len(payload))):
                message = await answer
        finally:
            self.forget(inbox)
        if message is None:
            raise SessionLost("the connection to nats-server is lost")
        return message

    async def api(self, subject: str, request: Any = None) -> dict[str, Any]:
        """Ask JetStream; raise ApiError where it refuses."""
        payload = b"" if request is None else json.dumps(request).encode()
        return parsed(await self.request(subject, payload))

    async def close(self) -> None:
        """Close the connection; everybody who waits on it is told."""
        await shut(self.client)
        self.end()

    def end(self) -> None:
        """Tell everybody who waits that the connection is lost."""
        self.lost.set()
        for listener in list(self._listeners.values()):
            listener(None)

    def _broken(self, error: Exception) -> SessionLost:
        """End at once: until nats-py says so itself, others would try again without a pause."""
        self.end()
        why = str(error) or "nats-server takes nothing more"
        return SessionLost(f"the connection to nats-server is lost: {why}")

    async def dispatch(self, message: "Msg") -> None:
        """Hand a message to the inbox it is for; one that nobody waits for any more is dropped."""
        listener = self._listeners.get(message.subject.rpartition(".")[2])
        if listener is not None:
            listener(message)


def parsed(message: "Msg") -> dict[str, Any]:
    """Parse an answer of JetStream; raise ApiError where it is a refusal."""
    if status(message) == 503:  # noqa: PLR2004 - no responders
        raise ApiError(0, "no stream answers; JetStream is off or `libra init` was not run")
    answer: dict[str, Any] = json.loads(message.data or b"{}")
    if "error" in answer:
        error = answer["error"]
        code = int(error.get("err_code", 0))
        hint = "; run `libra init`" if code == NO_STREAM else ""
        raise ApiError(code, f"{error.get('description', error)}{hint}")
    return answer


def status(message: "Msg") -> int:
    """Read the status that the server gave instead of a message, 0 where it gave a message.

    A stored message always has a sequence; whatever it calls Status its publisher wrote.
    """
    headers = message.headers or {}
    code = headers.get("Status", "")
    return int(code) if code.isdecimal() and "Nats-Sequence" not in headers else 0


async def open_session(edge: Edge, errors: Callable[[str], None]) -> Session:
    """Connect as the edge's user and verify the server.

    Raise OldServer where it must not be used, JournalUnavailable where it cannot be reached.
    """
    nats = nats_module()
    client = nats.aio.client.Client()
    prefix = inbox_prefix(edge.service)
    session = Session(client, client.new_inbox().replace("_INBOX", prefix, 1))
    try:
        await connect(client, edge, prefix, session.end, errors)
        await client.subscribe(session.inboxes, cb=session.dispatch)
        greeting = client._server_info  # noqa: SLF001 - nats-py shows no whole version
        require_fit(str(greeting.get("version", "0")), client.max_payload)
        settings = await session.request(VARZ)
        require_ours(client, edge, is_told=not status(settings))
        require_durable(settings.data)
    except OldServer:
        ours = knows_us(client, edge)
        await shut(client)
        if not ours:
            raise not_ours(client, edge) from None
        raise
    except asyncio.CancelledError:
        await shut(client)
        raise
    except (nats.errors.Error, OSError, TimeoutError, LibraError) as error:
        await shut(client)
        raise unreached(client, edge, error) from None
    return session
