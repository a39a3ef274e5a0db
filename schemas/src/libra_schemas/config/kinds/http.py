"""Check `http`: ask and look at the answer."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictInt

from libra_schemas.config.kinds.fields import (
    HeaderName,
    Host,
    Line,
    Regex,
    StatusRange,
    UrlPath,
    as_texts,
)
from libra_schemas.model import Strict


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
            as_texts, json_schema_input_type=StatusRange | int | list[StatusRange | int]
        ),
    ] = ("200-299",)
    """Codes and ranges that pass."""
    contains: str | None = None
    """Text that the body must hold."""
    regex: Regex | None = None
    """Regular expression that must match somewhere in the body, within 50 ms."""
    max_body: Annotated[StrictInt, Field(ge=1, le=1 << 20)] = 64 * 1024
    """How many bytes of the body `contains` and `regex` look at."""
