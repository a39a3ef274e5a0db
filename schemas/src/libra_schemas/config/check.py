"""How a backend is checked: `check: {http: {path: /healthz}, every: 1s, ...}`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, model_validator

from libra_schemas.config.fields import Duration, parse_duration
from libra_schemas.model import Address, Port, Strict
from libra_schemas.patterns import pattern_of


def _rising(value: str) -> str:
    first, _, last = value.partition("-")
    if last and last < first:
        raise ValueError(f"{value} ends before it starts")
    return value


def _compiles(value: str) -> str:
    pattern_of(value)
    return value


def _one_line(value: str) -> str:
    if not value.isprintable() or not value.isascii():
        raise ValueError("holds printable ASCII only, on one line")
    return value


def _absolute(value: str) -> str:
    if not _one_line(value).startswith("/") or any(c.isspace() for c in value):
        raise ValueError("must start with / and hold no white space")
    return value


def _longer_than_nothing(value: float) -> float:
    if value <= 0:
        raise ValueError("must be longer than 0")
    return value


def _one_word(value: str) -> str:
    if not value or " " in _one_line(value):
        raise ValueError("holds no blanks and is not empty")
    return value


def _as_texts(value: object) -> object:
    """Read `200` and `[200, 204]` as texts."""
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


StatusRange = Annotated[
    str,
    Field(pattern=r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$", examples=["200-299"]),
    AfterValidator(_rising),
]
Regex = Annotated[str, AfterValidator(_compiles)]
Line = Annotated[str, AfterValidator(_one_line)]
Host = Annotated[str, AfterValidator(_one_word)]
UrlPath = Annotated[str, AfterValidator(_absolute)]
Span = Annotated[Duration, AfterValidator(_longer_than_nothing)]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", examples=["Accept"])]
_TIMEOUT = 0.5


class TcpSpec(Strict):
    """Connect; then, where given, send and read until the answer is as expected."""

    send: str | None = None
    """Text sent once connected; without `expect` any answer passes."""
    expect: Regex | None = None
    """Regular expression that the first 64 KiB of the answer must match somewhere; without it
    and `send` the connection alone passes.
    """


class HttpSpec(Strict):
    """One HTTP/1.1 request; passes when the status and, where given, the body are as expected."""

    path: UrlPath = "/"
    """What is asked for, with its query."""
    method: Literal["GET", "HEAD", "OPTIONS", "POST"] = "GET"
    """The request's method."""
    host: Host | None = None
    """The `Host` header; without it the address probed, and its port unless that is 80."""
    headers: dict[HeaderName, Line] = Field(default_factory=dict)
    """Further headers of the request by name; those that hold secrets are refused."""
    status: Annotated[
        tuple[StatusRange, ...],
        BeforeValidator(
            _as_texts, json_schema_input_type=StatusRange | int | list[StatusRange | int]
        ),
    ] = ("200-299",)
    """Codes and ranges that pass."""
    contains: str | None = None
    """Text that the body must hold."""
    regex: Regex | None = None
    """Regular expression that must match somewhere in the body, within 50 ms."""
    max_body: Annotated[StrictInt, Field(ge=1, le=1 << 20)] = 64 * 1024
    """How many bytes of the body `contains` and `regex` look at."""


class IcmpSpec(Strict):
    """One echo request."""

    size: Annotated[StrictInt, Field(ge=0, le=1472)] = 56
    """Bytes of payload."""


class CheckConfig(Strict):
    """One check: exactly one kind, and when it runs."""

    tcp: TcpSpec | None = None
    """Connect and, where asked, hold a short dialogue."""
    http: HttpSpec | None = None
    """Ask one HTTP/1.1 request and look at the answer."""
    icmp: IcmpSpec | None = None
    """Send one echo request (ping)."""
    every: Span = 1.0
    """Time from the start of one probe to the start of the next."""
    timeout: Span = _TIMEOUT
    """Longest time that a probe may take, `every` at most; where nobody wrote it, never longer
    than `every`.
    """
    rise: Annotated[StrictInt, Field(ge=1, le=1000)] = 2
    """How many passes in a row make a backend up."""
    fall: Annotated[StrictInt, Field(ge=1, le=1000)] = 3
    """How many failures in a row make it down."""
    address: Address | None = None
    """The address to probe, where it is not the backend's."""
    port: Port | None = None
    """The port to probe, where it is not the backend's."""

    @model_validator(mode="before")
    @classmethod
    def _bare_kind(cls, value: object) -> object:
        """Read `tcp` as `{tcp: {}}` and `{tcp: null}` as `{tcp: {}}`."""
        if isinstance(value, str):
            return {value: {}}
        if isinstance(value, dict):
            spelled = {k: {} if v is None and k in KINDS else v for k, v in value.items()}
            return _timeout_within(spelled)
        return value

    @property
    def kinds(self) -> tuple[str, ...]:
        """List the kinds that are named; a valid config names one."""
        return tuple(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def kind(self) -> str:
        """Name the check: `tcp`, `http`, `icmp`."""
        return self.kinds[0]


KINDS = ("tcp", "http", "icmp")


def _timeout_within(value: dict[str, object]) -> dict[str, object]:
    """Let a timeout that nobody wrote not exceed the `every` that somebody wrote."""
    if "timeout" in value or "every" not in value:
        return value
    try:
        return value | {"timeout": min(_TIMEOUT, parse_duration(value["every"]))}
    except ValueError:
        return value
