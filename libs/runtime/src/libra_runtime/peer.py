"""The log of a peer, read through the local nats-server: its JetStream domain over the leaf link.

Rule: who does not answer for PATIENCE seconds is out of reach, and is then read again from the
start: what is said of a peer in reach is all of it, and what it is now.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from libra_runtime.journal import CaughtUp, LogRenewed, PeerLost, Stored
from libra_runtime.reader import Reader
from libra_runtime.session import Listener, Session, status
from libra_runtime.wire import Wire

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

PATIENCE = 3.0
"""Seconds without an answer or heartbeat (one a second) after which a peer is out of reach."""

FIRST, LONGEST = 0.25, 4.0
"""Seconds until a peer out of reach is asked again; doubled each time."""

WAITING = 512
"""Events read ahead of who follows."""

_NOBODY = 503


class PeerSession(Session):
    """A session of ours whose JetStream is that of *domain*; `answered` is called at each word."""

    def __init__(self, session: Session, domain: str, answered: Callable[[], None]) -> None:
        self._session = session
        self._domain = domain
        self._answered = answered
        self.lost = session.lost

    def listen(self, listener: Listener) -> str:
        """Open an inbox."""
        return self._session.listen(self._noting(listener))

    async def subscribe(self, listener: Listener) -> "Subscription":
        """Open an inbox of its own."""
        return await self._session.subscribe(self._noting(listener))

    async def unsubscribe(self, subscription: "Subscription") -> None:
        """Close an inbox of its own."""
        await self._session.unsubscribe(subscription)

    def forget(self, inbox: str) -> None:
        """Close an inbox."""
        self._session.forget(inbox)

    async def publish(
        self, subject: str, payload: bytes, headers: dict[str, str] | None = None, reply: str = ""
    ) -> None:
        """Ask the peer's JetStream in place of ours."""
        there = subject.replace("$JS.API.", f"$JS.{self._domain}.API.", 1)
        await self._session.publish(there, payload, headers, reply)

    def _noting(self, listener: Listener) -> Listener:
        def arrived(message: "Msg | None") -> None:
            if message is not None and status(message) != _NOBODY:
                self._answered()
            listener(message)

        return arrived


class PeerWire(Wire):
    """Our wire, with the peer's JetStream at its end."""

    def __init__(self, wire: Wire, node: str, answered: Callable[[], None]) -> None:
        super().__init__(replace(wire.edge, node=node))
        self._wire = wire
        self._answered = answered

    @property
    def current(self) -> Session | None:
        """No session to say anything by: what a peer's log holds is not ours to bury."""
        return None

    async def session(self) -> Session:
        """Wait for a session."""
        return PeerSession(await self._wire.session(), self.edge.node, self._answered)

    @contextmanager
    def listening(self) -> Iterator[Callable[[str | None], None]]:
        """Say nothing of why a peer is not heard: it is no trouble of this node."""
        yield lambda _: None


async def follow_peer(
    wire: Wire, node: str, types: tuple[str, ...]
) -> AsyncGenerator[Stored | CaughtUp | PeerLost, None]:
    """See `libra_runtime.journal.Journal.follow_peer`."""
    pause, is_lost = FIRST, False
    while True:
        arrived: asyncio.Queue[Stored | CaughtUp] = asyncio.Queue(WAITING)
        heard = Heard()
        peer = PeerWire(wire, node, heard.note)
        reading = asyncio.create_task(_read(Reader(peer), types, arrived))
        try:
            while (item := await _next(arrived, reading, heard)) is not None:
                is_lost, pause = False, FIRST
                yield item
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if not is_lost:
            is_lost = True
            yield PeerLost(node)
        await asyncio.sleep(pause)
        pause = min(LONGEST, 2 * pause)


class Heard:
    """When the peer last said anything, monotonic seconds; it is given its time at the start."""

    def __init__(self) -> None:
        self.at = time.monotonic()

    def note(self) -> None:
        """Note that it answers."""
        self.at = time.monotonic()

    @property
    def left(self) -> float:
        """How many seconds until it is out of reach."""
        return self.at + PATIENCE - time.monotonic()


async def _read(
    reader: Reader, types: tuple[str, ...], arrived: "asyncio.Queue[Stored | CaughtUp]"
) -> None:
    async with aclosing(reader.follow(types, None)) as items:
        async for item in items:
            await arrived.put(item)


async def _next(
    arrived: "asyncio.Queue[Stored | CaughtUp]", reading: "asyncio.Task[None]", heard: Heard
) -> Stored | CaughtUp | None:
    """Wait for the next event; None where the peer is out of reach or its log was made anew."""
    getting = asyncio.create_task(arrived.get())
    try:
        while not getting.done() and not reading.done() and heard.left > 0:
            await asyncio.wait(
                (getting, reading), timeout=heard.left, return_when=asyncio.FIRST_COMPLETED
            )
        if getting.done():
            return getting.result()
    finally:
        getting.cancel()
    if reading.done() and not reading.cancelled():
        error = reading.exception()
        if error is not None and not isinstance(error, LogRenewed):
            raise error
    return None
