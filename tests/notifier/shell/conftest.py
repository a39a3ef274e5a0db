"""Real receivers and a notifier on a log in memory."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from libra_notifier.settings import SERVICE, Settings
from libra_notifier.shell.desk import Desk
from libra_runtime import stamp
from libra_runtime.journal import Stored
from libra_runtime.testing import MemoryJournal, MemoryLog
from libra_schemas.canonical import digest
from libra_schemas.envelope import decode
from libra_schemas.events import BackendState, ConfigApplied, Evidence, Receipt

PATIENCE = 60.0
"""Seconds after which a test gives up waiting."""


async def _until(claim: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not claim():  # noqa: ASYNC110 - receivers and logs have no event to wait for
            await asyncio.sleep(0.005)


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Awaitable[None]]:
    """Wait until a claim holds."""
    return _until


@dataclass(slots=True)
class Hook:
    """One request a webhook receiver got."""

    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]


Answer = Callable[[Hook], Awaitable[web.Response]]


async def taken(_: Hook) -> web.Response:
    return web.Response(status=204)


@dataclass(slots=True)
class Receiver:
    """An HTTP server that records what it gets and answers what the test says."""

    url: str = ""
    hooks: list[Hook] = field(default_factory=list)
    answer: Answer = taken

    async def post(self, request: web.Request) -> web.StreamResponse:
        hook = Hook(dict(request.headers), await request.read())
        self.hooks.append(hook)
        return await self.answer(hook)

    @property
    def bodies(self) -> list[bytes]:
        return [hook.body for hook in self.hooks]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", found.post)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    found.url = f"http://{host}:{port}/hook"
    yield found
    await runner.cleanup()


@dataclass(slots=True)
class Mail:
    """One mail an SMTP server took."""

    sender: str
    recipients: list[str]
    message: EmailMessage


@dataclass
class Postbox:
    """An SMTP server that records mails; *refused* recipients get 550."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 taken"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(Mail(envelope.mail_from or "", list(envelope.rcpt_tos), message))
        return "250 queued"

    def authenticate(
        self, _server: Any, _s: Any, _e: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"letmein", handled=False)


@asynccontextmanager
async def listening(
    postbox: Postbox, tls: ssl.SSLContext | None = None, **how: Any
) -> AsyncIterator[Postbox]:
    """Run *postbox* as an SMTP server on loopback; *tls* wraps it from the first byte."""
    loop = asyncio.get_running_loop()
    sessions: list[SMTP] = []

    def session() -> SMTP:
        sessions.append(SMTP(postbox, hostname="mail.example.org", loop=loop, **how))
        return sessions[-1]

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=tls)
    postbox.port = server.sockets[0].getsockname()[1]
    try:
        yield postbox
    finally:
        server.close()
        for each in sessions:
            if each.transport is not None:
                each.transport.close()
        await server.wait_closed()


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    async with listening(Postbox()) as found:
        yield found


@pytest.fixture
def make_postbox() -> Callable[..., Any]:
    """Run SMTP servers of other kinds."""

    def made(tls: ssl.SSLContext | None = None, **how: Any) -> Any:
        postbox = Postbox()
        if "auth_required" in how:
            how["authenticator"] = postbox.authenticate
        return listening(postbox, tls, **how)

    return made


@dataclass
class Node:
    """One node: its log, the services that fill it, and notifiers on it."""

    folder: Path
    log: MemoryLog = field(default_factory=MemoryLog)
    number: int = 0
    desk: Desk | None = None

    def __post_init__(self) -> None:
        self.health = MemoryJournal(service="health", log=self.log)
        self.console = MemoryJournal(service="console", log=self.log)

    def secret(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content + "\n")
        return str(path)

    def webhook(self, receiver: Receiver, match: str = "backend.*", **more: Any) -> dict[str, Any]:
        files = {
            "url_file": self.secret("hook.url", receiver.url),
            "secret_file": self.secret("hook.key", "s3cret"),
            "timeout": more.pop("timeout", "5s"),
        }
        quick = {"first": "10ms", "longest": "20ms"}
        return {"webhook": files, "match": [match], "retry": more.pop("retry", quick), **more}

    async def configure(self, **sinks: Any) -> int:
        """Apply a config with *sinks*; return its sequence."""
        document = {"version": 1, "nodes": {"a": {"address": "10.0.0.2"}}, "notify": sinks}
        self.number += 1
        data = ConfigApplied(
            number=self.number, hash=digest(document), document=document, author="eve"
        )
        return await self.console.append(stamp.draft("config.applied", ("cluster",), data))

    async def down(self, backend: str = "w1", *, up: bool = False) -> Stored:
        """Publish a verdict; return it as stored."""
        reason = "passed" if up else "refused"
        data = BackendState.model_validate(
            {
                "service": "web",
                "backend": backend,
                "address": "10.0.1.11",
                "port": 80,
                "protocol": "tcp",
                "target": "0" * 64,
                "up": up,
                "evidence": (Evidence(probe="tcp", reason=reason, attempt=3, needed=3),),
            }
        )
        kind = "backend.up" if up else "backend.down"
        await self.health.append(stamp.draft(kind, ("web", backend), data))
        return self.health.published[-1]

    def receipts(self, kind: str = "notify.sent") -> list[Receipt]:
        """List the receipts in the log."""
        found = []
        for entry in self.log.entries:
            subject, event = decode(entry.subject, entry.raw)
            if subject.type == kind and isinstance(event.data, Receipt):
                found.append(event.data)
        return found

    @asynccontextmanager
    async def notifier(self, **settings: int) -> AsyncIterator[MemoryJournal]:
        """Run a notifier that has recovered; it ends without a word, as a killed one does."""
        journal = MemoryJournal(service=SERVICE, log=self.log)
        desks: list[Desk] = []

        async def live() -> None:
            async with asyncio.TaskGroup() as group:
                desks.append(Desk(journal, self.folder / "kept", group, Settings(**settings)))
                await desks[0].run()

        task = asyncio.create_task(live())
        try:
            await _until(lambda: desks and "its past" not in str(desks[0].trouble))
            self.desk = desks[0]
            yield journal
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)
