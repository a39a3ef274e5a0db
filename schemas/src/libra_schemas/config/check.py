"""How a backend is checked: `check: {http: {path: /healthz}, every: 1s, ...}`."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from libra_schemas.config.fields import Duration
from libra_schemas.model import Address, Port, Strict

StatusRange = Annotated[str, Field(pattern=r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$")]


class TcpSpec(Strict):
    """Connect; then, where given, send *send* and read until *expect* (a regular expression)."""

    send: str | None = None
    expect: str | None = None


class HttpSpec(Strict):
    """One HTTP/1.1 request; passes when the status and, where given, the body are as expected.

    *status* lists codes and ranges; *contains* is text, *regex* a pattern searched in the first
    *max_body* bytes of the body.
    """

    path: str = "/"
    method: Literal["GET", "HEAD", "OPTIONS", "POST"] = "GET"
    host: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    status: Annotated[
        tuple[StatusRange, ...],
        BeforeValidator(lambda v: [str(i) for i in v] if isinstance(v, list | tuple) else [str(v)]),
    ] = ("200-299",)
    contains: str | None = None
    regex: str | None = None
    max_body: Annotated[int, Field(ge=0, le=1 << 20)] = 64 * 1024

    @model_validator(mode="after")
    def _path_is_absolute(self) -> "HttpSpec":
        if not self.path.startswith("/") or any(c.isspace() for c in self.path):
            raise ValueError("path must start with / and hold no white space")
        return self


class IcmpSpec(Strict):
    """One echo request."""

    size: Annotated[int, Field(ge=0, le=1472)] = 56


class CheckConfig(Strict):
    """One check: exactly one kind, and when it runs.

    *rise* and *fall* are how many equal results in a row change the verdict; *address* and *port*
    probe another place than the backend's own.
    """

    tcp: TcpSpec | None = None
    http: HttpSpec | None = None
    icmp: IcmpSpec | None = None
    every: Duration = 1.0
    timeout: Duration = 0.5
    rise: Annotated[int, Field(ge=1, le=1000)] = 2
    fall: Annotated[int, Field(ge=1, le=1000)] = 3
    address: Address | None = None
    port: Port | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_kind(cls, value: object) -> object:
        """Read `tcp` as `{tcp: {}}` and `{tcp: null}` as `{tcp: {}}`."""
        if isinstance(value, str):
            return {value: {}}
        if isinstance(value, dict):
            return {k: {} if v is None and k in KINDS else v for k, v in value.items()}
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> "CheckConfig":
        named = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(named) != 1:
            raise ValueError(f"name exactly one of {', '.join(KINDS)}" + _found(named))
        if self.timeout > self.every:
            raise ValueError(f"timeout {self.timeout:g}s is longer than every {self.every:g}s")
        if self.timeout <= 0 or self.every <= 0:
            raise ValueError("every and timeout must be longer than 0")
        return self

    @property
    def kind(self) -> str:
        """Name the check: `tcp`, `http`, `icmp`."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


KINDS = ("tcp", "http", "icmp")


def _found(named: list[str]) -> str:
    return f", not {' and '.join(named)}" if named else ""
