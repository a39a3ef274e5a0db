"""Who is told: a real HTTP receiver that checks signatures, and a real SMTP server."""

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from libra_lab.commands import CommandFailed
from libra_lab.demo.config import HOOK_PORT, MAIL_PORT, SECRET
from libra_lab.node import Node
from libra_lab.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook received: *key* is its idempotency key, *genuine* whether its HMAC holds."""

    type: str
    subject: str
    source: str
    key: str
    genuine: bool
    at: float


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail received."""

    subject: str
    at: float


@dataclass(slots=True)
class Ops:
    """The operators' machine: what reached it so far, in order."""

    hooks: list[Hook] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)

    def start(self, node: Node) -> None:
        """Listen for webhooks and mail in *node*, on threads."""
        self._listen_for_hooks(node)
        self._listen_for_mail(node)

    def wait_for_hook(self, event: str, subject: str, since: float, timeout: float = 60.0) -> Hook:
        """Wait for a genuine webhook of *event* on *subject* that came after *since*."""
        found: list[Hook] = []

        def arrived() -> bool:
            found[:] = [
                hook
                for hook in list(self.hooks)
                if (hook.type, hook.subject) == (event, subject) and hook.at >= since
            ]
            return bool(found)

        wait_until(arrived, f"a webhook {event} {subject}", timeout)
        if not found[0].genuine:
            raise CommandFailed(f"the webhook {event} {subject} has a wrong signature")
        return found[0]

    def wait_for_mail(self, words: tuple[str, ...], since: float, timeout: float = 60.0) -> Mail:
        """Wait for a mail whose subject holds all *words* and that came after *since*."""
        found: list[Mail] = []

        def arrived() -> bool:
            found[:] = [
                mail
                for mail in list(self.mails)
                if mail.at >= since and all(word in mail.subject for word in words)
            ]
            return bool(found)

        wait_until(arrived, f"a mail about {' '.join(words)}", timeout)
        return found[0]

    def repeated(self) -> dict[str, int]:
        """Return the idempotency keys that came more than once, and how often."""
        counts = Counter(hook.key for hook in list(self.hooks))
        return {key: count for key, count in counts.items() if count > 1}

    def _listen_for_hooks(self, node: Node) -> None:
        hooks = self.hooks

        class Receiver(BaseHTTPRequestHandler):
            """Take webhooks and answer 204."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hooks.append(received(dict(self.headers.items()), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the story's output clean."""

        server = node.call(ThreadingHTTPServer, ("0.0.0.0", HOOK_PORT), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def _listen_for_mail(self, node: Node) -> None:
        from aiosmtpd.smtp import SMTP  # noqa: PLC0415  only the demo needs it

        mails = self.mails

        class Postman:
            """Take every mail."""

            async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
                subject = message_from_bytes(envelope.content)["Subject"] or ""
                mails.append(Mail(" ".join(str(subject).split()), time.monotonic()))
                return "250 taken"

        async def serve(sock: Any) -> None:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(
                lambda: SMTP(Postman(), hostname="ops", loop=loop), sock=sock
            )
            await server.serve_forever()

        import socket  # noqa: PLC0415

        sock = node.call(socket.create_server, ("0.0.0.0", MAIL_PORT))
        threading.Thread(target=lambda: asyncio.run(serve(sock)), daemon=True).start()


def received(headers: dict[str, str], body: bytes) -> Hook:
    """Read a webhook: the CloudEvents body and whether the signature over it is ours."""
    event = json.loads(body)
    known = {name.lower(): value for name, value in headers.items()}
    signed = known.get("libra-timestamp", "").encode() + b"." + body
    wanted = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    given = known.get("libra-signature", "").rpartition("=")[2]
    return Hook(
        event["type"],
        event["subject"],
        event["source"],
        known.get("idempotency-key", ""),
        hmac.compare_digest(wanted, given),
        time.monotonic(),
    )
