"""Writer of HTTP/1.x requests (RFC 9112 section 3), for checks.

The one rule: nothing that is written breaks out of the place it was given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

Secrets: TypeAlias = tuple[tuple[str, bytes], ...]
"""Headers whose values came from files: name and value."""

VALUE_LIMIT: Final = 8192
"""Bytes of a file that holds a header's value; one that has as many is refused."""

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f]")
_UNSAFE_BYTES: Final = re.compile(rb"[\x00-\x1f\x7f]")
_VISIBLE: Final = re.compile(r"[!-~]+")
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""Their content's length is told even where there is none (RFC 9110 section 8.6)."""
_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2: twice is as good as once."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `body`: None for no content; raises ValueError where it would not stay one."""

    host: str
    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    version: str = "1.1"

    def __post_init__(self) -> None:
        """Refuse what would not stay one request."""
        if not all(map(_TOKEN.fullmatch, (self.method, *(name for name, _ in self.headers)))):
            raise ValueError("method and header names must be tokens")
        if any(_UNSAFE.search(value) for _, value in self.headers):
            raise ValueError("a header value holds a control character")
        if not (_VISIBLE.fullmatch(self.path) and _VISIBLE.fullmatch(self.host)):
            raise ValueError("path and host must be visible ASCII")

    @property
    def is_head(self) -> bool:
        """Whether no body follows the head of the answer."""
        return self.method == "HEAD"

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again where nobody knows if it was heard."""
        return self.method in _REPEATABLE


def encode(request: Request, *, keeps: bool = False, secrets: Secrets = ()) -> bytes:
    """Write a request. `keeps`: the connection is to stay open for another one."""
    head = _head(request, keeps)
    if secrets:
        head += b"".join(b"%s: %s\r\n" % (name.encode(), value) for name, value in secrets)
    return head + b"\r\n" + (request.body or b"")


def header_value(data: bytes) -> bytes:
    """Take a header's value from a file's content; raises ValueError where it cannot be one."""
    value = data.strip(b" \t\r\n")
    if len(data) >= VALUE_LIMIT:
        raise ValueError("is too long")
    if not value:
        raise ValueError("is empty")
    if _UNSAFE_BYTES.search(value):
        raise ValueError("holds more than one line")
    return value


@lru_cache(maxsize=16384)
def _head(request: Request, keeps: bool) -> bytes:  # noqa: FBT001  a cache knows no keywords
    """Write the head but for the blank line that ends it."""
    fields = {"host": f"Host: {request.host}", "user-agent": "User-Agent: LibrA-health"}
    fields |= {name.lower(): f"{name}: {value}" for name, value in request.headers}
    if request.body is not None or request.method in _WITH_BODY:
        fields["content-length"] = f"Content-Length: {len(request.body or b'')}"
    fields["connection"] = f"Connection: {'keep-alive' if keeps else 'close'}"
    lines = (f"{request.method} {request.path} HTTP/{request.version}", *fields.values(), "")
    return "\r\n".join(lines).encode("latin-1", "replace")
