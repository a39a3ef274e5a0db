"""Whom to tell: `notify: {ops: {webhook: {url_file: ...}, match: ["backend.*"]}}`.

Rule: no secret is ever a value; what can hold one exists only as `*_file`.
"""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from libra_schemas.config.fields import Duration
from libra_schemas.model import Name, Port, Strict

Pattern = Annotated[str, Field(pattern=r"^(\*|[a-z]+)\.(\*|[a-z]+)$", examples=["backend.*"])]
MailAddress = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", examples=["ops@example.net"])]


class WebhookSink(Strict):
    """POST of the CloudEvents JSON; signed with HMAC-SHA256 where a secret is given."""

    url_file: str
    """File that holds the URL; it is read anew at every attempt."""
    secret_file: str | None = None
    """File that holds the key of the signature (HMAC-SHA256); without it nothing is signed."""
    timeout: Duration = 5.0
    """Longest time that an attempt may take."""


class EmailSink(Strict):
    """One mail per event over SMTP."""

    to: Annotated[tuple[MailAddress, ...], Field(min_length=1)]
    """Who gets the mail."""
    sender: Annotated[MailAddress, Field(alias="from")]
    """Who it is from."""
    server: str
    """Name or address of the SMTP server."""
    port: Port = 25
    """The server's port."""
    security: Literal["none", "starttls", "tls"] = "none"
    """`starttls` and `tls` verify the server's certificate; `none` sends in the clear."""
    user: str | None = None
    """Whom to log in as, together with `password_file`; without them nobody logs in."""
    password_file: str | None = None
    """File that holds the password; it is read anew at every attempt."""
    timeout: Duration = 10.0
    """Longest time that an attempt may take."""


class ProgramSink(Strict):
    """A program run without a shell, the event on its standard input."""

    command: Annotated[
        tuple[str, ...], Field(min_length=1, examples=[["/usr/local/bin/page", "urgent"]])
    ]
    """The program and its first arguments; the event's follow (services/notifier/README.md)."""
    timeout: Duration = 10.0
    """Longest time that it may run; then its whole process group is killed."""


class Retry(Strict):
    """How often and how long a delivery is tried: exponential back-off with jitter."""

    attempts: Annotated[StrictInt, Field(ge=1, le=1000)] = 20
    """How often a delivery is tried, the first time included; then `notify.failed` says so."""
    first: Duration = 1.0
    """Wait after the first failure, half to all of it by chance; doubled after each further one."""
    longest: Duration = 300.0
    """Longest wait between two attempts."""


class SinkConfig(Strict):
    """One sink: exactly one kind, and which events of which nodes and services it is told."""

    webhook: WebhookSink | None = None
    """POST the event as JSON to a URL."""
    email: EmailSink | None = None
    """Send a mail."""
    program: ProgramSink | None = None
    """Run a program."""
    match: Annotated[tuple[Pattern, ...], Field(min_length=1)]
    """Types of events to tell, `*` for any word; docs/events.md lists them, `notify.*` is never
    told, `vrrp.follows`, `backend.weight` and `backend.seen` only where their last word is written
    out."""
    nodes: tuple[Name, ...] = ()
    """Tell events of these nodes only; without it of all."""
    services: tuple[Name, ...] = ()
    """Tell events of these services only; without it of all."""
    retry: Retry = Retry()
    """How often and how long a delivery is tried."""

    @property
    def kinds(self) -> tuple[Literal["webhook", "email", "program"], ...]:
        """List the kinds that are named; a valid config names one."""
        return tuple(kind for kind in SINKS if getattr(self, kind) is not None)

    @property
    def kind(self) -> Literal["webhook", "email", "program"]:
        """Name the kind of sink."""
        return self.kinds[0]


SINKS: tuple[Literal["webhook", "email", "program"], ...] = ("webhook", "email", "program")
