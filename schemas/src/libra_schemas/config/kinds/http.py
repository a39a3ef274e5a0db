"""Checks `http` and `https`: ask and look at the answer."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, WithJsonSchema

from libra_schemas.config.kinds.fields import (
    FilePath,
    HeaderName,
    HexMd5,
    HexSha256,
    Host,
    Line,
    Regex,
    StatusRange,
    UrlPath,
    as_text,
    as_texts,
)
from libra_schemas.config.kinds.tls import TlsSpec
from libra_schemas.model import Strict

Statuses = Annotated[
    tuple[StatusRange, ...],
    Field(min_length=1),
    BeforeValidator(as_texts, json_schema_input_type=StatusRange | int | list[StatusRange | int]),
]
Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
Version = Annotated[
    Literal["1.0", "1.1"],
    BeforeValidator(as_text),
    WithJsonSchema({"enum": ["1.0", "1.1", 1.0, 1.1]}),
]


class BodyDigest(Strict):
    """The digest of a whole body, as `libra digest URL` prints it."""

    sha256: HexSha256 | None = None
    """SHA-256 that the body must have, in hexadecimal."""
    md5: HexMd5 | None = None
    """MD5 that the body must have, in hexadecimal."""


class HttpRequest(Strict):
    """One request of several; what it does not say is as the check has it."""

    path: UrlPath | None = None
    """What is asked for, with its query."""
    method: Method | None = None
    """The request's method."""
    host: Host | None = None
    """The `Host` header."""
    body: str | None = None
    """What the request carries, as text."""
    status: Statuses | None = None
    """Codes and ranges that pass."""
    contains: str | None = None
    """Text that the body must hold."""
    regex: Regex | None = None
    """Regular expression that must match somewhere in the body, within 50 ms."""
    digest: BodyDigest | None = None
    """Digest that the body must have."""


class HttpSpec(Strict):
    """An HTTP request; passes when the status and, where given, the body are as expected."""

    path: UrlPath = "/"
    """What is asked for, with its query."""
    method: Method = "GET"
    """The request's method."""
    host: Host | None = None
    """The `Host` header; without it the address probed, and its port unless that is 80 (`https`:
    443).
    """
    headers: dict[HeaderName, Line] = Field(default_factory=dict)
    """Further headers of the request by name; those that hold secrets go under `headers_files`."""
    headers_files: dict[HeaderName, FilePath] = Field(default_factory=dict)
    """Further headers, whose value is what a file holds; it is read anew at every run."""
    body: str | None = None
    """What the request carries, as text; name its `Content-Type` under `headers`."""
    version: Version = "1.1"
    """The version of HTTP that is spoken."""
    status: Statuses = ("200-299",)
    """Codes and ranges that pass."""
    contains: str | None = None
    """Text that the body must hold."""
    regex: Regex | None = None
    """Regular expression that must match somewhere in the body, within 50 ms."""
    digest: BodyDigest | None = None
    """Digest that the body must have; `libra digest URL` prints it."""
    max_body: Annotated[StrictInt, Field(ge=1, le=1 << 20)] = 64 * 1024
    """How many bytes of the body are looked at; `digest` needs the whole body in them. A body that
    comes compressed is compared as it came.
    """
    redirects: Annotated[StrictInt, Field(ge=0, le=10)] = 0
    """How many redirects are followed, on the server probed alone; one more fails by its status.
    """
    requests: Annotated[tuple[HttpRequest, ...], Field(max_length=64)] = ()
    """Several requests, one after the other, that must all pass; what one does not say is as the
    keys above have it.
    """
    keep_alive: StrictBool = True
    """Whether `requests` go over one connection where the server leaves it open."""
    tls: TlsSpec | None = None
    """How TLS is spoken, of `https` alone."""

    @property
    def each(self) -> tuple["HttpSpec", ...]:
        """Spell out every request as a check that has no other."""
        return tuple(
            self.model_copy(
                update={key: said for key in _OF_ONE if (said := getattr(one, key)) is not None}
            )
            for one in self.requests or (HttpRequest(),)
        )


_OF_ONE = tuple(HttpRequest.model_fields)
