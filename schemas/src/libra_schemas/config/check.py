"""How a backend is checked: `check: {http: {path: /healthz}, every: 1s, ...}`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

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
    str, Field(pattern=r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"), AfterValidator(_rising)
]
Regex = Annotated[str, AfterValidator(_compiles)]
Line = Annotated[str, AfterValidator(_one_line)]
Host = Annotated[str, AfterValidator(_one_word)]
UrlPath = Annotated[str, AfterValidator(_absolute)]
Span = Annotated[Duration, AfterValidator(_longer_than_nothing)]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
_TIMEOUT = 0.5


class TcpSpec(Strict):
    """Connect; then, where given, send *send* and read until *expect* (a regular expression)."""

    send: str | None = None
    expect: Regex | None = None


class HttpSpec(Strict):
    """One HTTP/1.1 request; passes when the status and, where given, the body are as expected.

    *status* lists codes and ranges; *contains* is text, *regex* a pattern searched in the first
    *max_body* bytes of the body. An answer on which the pattern takes longer than 50 ms fails.
    """

    path: UrlPath = "/"
    method: Literal["GET", "HEAD", "OPTIONS", "POST"] = "GET"
    host: Host | None = None
    headers: dict[HeaderName, Line] = Field(default_factory=dict)
    status: Annotated[
        tuple[StatusRange, ...],
        BeforeValidator(
            _as_texts, json_schema_input_type=StatusRange | int | list[StatusRange | int]
        ),
    ] = ("200-299",)
    contains: str | None = None
    regex: Regex | None = None
    max_body: Annotated[int, Field(ge=1, le=1 << 20)] = 64 * 1024


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
    every: Span = 1.0
    timeout: Span = _TIMEOUT
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
