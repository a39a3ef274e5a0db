"""Whom to tell: `notify: {ops: {webhook: {url_file: ...}, match: ["backend.*"]}}`.

Rule: no secret is ever a value; what can hold one exists only as `*_file`.
"""

from typing import Annotated, Literal

from pydantic import Field

from libra_schemas.config.fields import Duration
from libra_schemas.model import Name, Port, Strict

Pattern = Annotated[str, Field(pattern=r"^(\*|[a-z]+)\.(\*|[a-z]+)$")]
MailAddress = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class WebhookSink(Strict):
    """POST of the CloudEvents JSON; signed with HMAC-SHA256 where a secret is given."""

    url_file: str
    secret_file: str | None = None
    timeout: Duration = 5.0


class EmailSink(Strict):
    """One mail per event over SMTP."""

    to: Annotated[tuple[MailAddress, ...], Field(min_length=1)]
    sender: Annotated[MailAddress, Field(alias="from")]
    server: str
    port: Port = 25
    security: Literal["none", "starttls", "tls"] = "none"
    user: str | None = None
    password_file: str | None = None
    timeout: Duration = 10.0


class ProgramSink(Strict):
    """A program run without a shell, the event on its standard input."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    timeout: Duration = 10.0


class Retry(Strict):
    """How often and how long a delivery is tried: exponential back-off with jitter."""

    attempts: Annotated[int, Field(ge=1, le=1000)] = 20
    first: Duration = 1.0
    longest: Duration = 300.0


class SinkConfig(Strict):
    """One sink: exactly one kind, and which events of which nodes and services it is told."""

    webhook: WebhookSink | None = None
    email: EmailSink | None = None
    program: ProgramSink | None = None
    match: Annotated[tuple[Pattern, ...], Field(min_length=1)]
    nodes: tuple[Name, ...] = ()
    services: tuple[Name, ...] = ()
    retry: Retry = Retry()

    @property
    def kinds(self) -> tuple[Literal["webhook", "email", "program"], ...]:
        """List the kinds that are named; a valid config names one."""
        return tuple(kind for kind in SINKS if getattr(self, kind) is not None)

    @property
    def kind(self) -> Literal["webhook", "email", "program"]:
        """Name the kind of sink."""
        return self.kinds[0]


SINKS: tuple[Literal["webhook", "email", "program"], ...] = ("webhook", "email", "program")
