"""The connection to NATS over time: one session after another, until it is refused for good."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from libra_runtime import logs
from libra_runtime.journal import JournalUnavailable, OldServer
from libra_runtime.session import Session, open_session
from libra_runtime.settings import Edge
from libra_schemas.errors import LibraError

RETRY = 0.2
"""Seconds between two attempts to connect."""


class Wire:
    """Hands out the current session; `trouble` says why there is none.

    `deaf` says why somebody `listening` hears nothing although there is one.
    """

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.failure: LibraError | None = None
        self.trouble: str | None = "not connected yet"
        self.complaint = "nothing"
        self._deafness: dict[object, str | None] = {}
        self.tried = False
        self.sessions = 0
        self.changed = asyncio.Event()
        self._noted: str | None = None
        self._session: Session | None = None

    @property
    def current(self) -> Session | None:
        """The session that is up now."""
        if self._session is None or self._session.lost.is_set():
            return None
        return self._session

    @property
    def deaf(self) -> str | None:
        """Say what the first listener who cannot hear fails of, None where all can."""
        return next((why for why in self._deafness.values() if why is not None), None)

    @contextmanager
    def listening(self) -> Iterator[Callable[[str | None], None]]:
        """Give a listener a way to say why it hears nothing (None: it hears); over with it."""
        listener = object()

        def say(deaf: str | None) -> None:
            self._deafness[listener] = deaf

        try:
            yield say
        finally:
            self._deafness.pop(listener, None)

    async def session(self) -> Session:
        """Wait for a session; raise what the wire failed of."""
        while True:
            self.check()
            if self.current is not None:
                return self.current
            await self.changed.wait()

    def check(self) -> None:
        """Raise what the wire failed of, if it did."""
        if self.failure is not None:
            raise type(self.failure)(*self.failure.args)

    async def supervise(self) -> None:
        """Connect, again after every loss, until cancelled or refused for good."""
        while self.failure is None:
            try:
                session = await open_session(self.edge, self._complain)
            except OldServer as refusal:
                self.fail(refusal)
            except JournalUnavailable as error:
                self._note(str(error))
                await asyncio.sleep(RETRY)
            else:
                await self._serve(session)

    async def _serve(self, session: Session) -> None:
        self._session = session
        self.sessions += 1
        if self._noted:
            logs.note("log is back", server=self.edge.nats)
        self.trouble = self._noted = None
        self._announce()
        try:
            await session.lost.wait()
        finally:
            await session.close()
        if self.failure is None:
            self._note("the connection to nats-server is lost")

    def fail(self, failure: LibraError) -> None:
        """End for good: everybody who uses the wire gets *failure*."""
        self.failure = failure
        self.trouble = str(failure)
        if self._session is not None:
            self._session.end()
        self._announce()

    def _complain(self, error: str) -> None:
        """Remember what the server said last (a connection that fails says it itself)."""
        if self.current is not None:
            self.complaint = error
            logs.note("nats-server complains", error=error)

    def _note(self, trouble: str) -> None:
        self.tried = True
        if self.current is None:
            self.trouble = trouble
            if trouble != self._noted:
                self._noted = trouble
                logs.note("log is away", why=trouble)
        self._announce()

    def _announce(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()
