"""Heads of HTTP/1.x responses (RFC 9112 sections 4 to 6 and 9.3), for checks.

The one rule: of a head only what frames the body is read at once; the rest when it is asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

SWITCHING: Final = 101
"""The only interim status after which no other head follows."""
FINAL: Final = 200

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?(?:\n|\Z)")
_FRAMING: Final = re.compile(
    rb"^(transfer-encoding|content-length):([^\n]*)", re.IGNORECASE | re.MULTILINE
)
_CONNECTION: Final = re.compile(rb"^connection:([^\n]*)", re.IGNORECASE | re.MULTILINE)
_LOCATION: Final = re.compile(rb"^location:([^\n]*)", re.IGNORECASE | re.MULTILINE)
_BLANK: Final = b" \t\r"
"""What is stripped off values, and by no pattern: a backend would choose one that takes for ever.

A bare CR counts as a space (RFC 9112 section 2.2).
"""
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")


class MalformedResponse(Exception):
    """The backend did not speak HTTP/1.x."""


class Framing(Enum):
    """How the end of a body is told (RFC 9112 section 6.3)."""

    NONE = auto()
    LENGTH = auto()
    CHUNKED = auto()
    UNTIL_CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Head:
    """The final head: status 100-599, and how its body ends. `length` in bytes."""

    status: int
    framing: Framing
    length: int = 0
    text: bytes = field(default=b"", repr=False, compare=False)

    @property
    def persists(self) -> bool:
        """Whether the connection stays open after the body (RFC 9112 section 9.3)."""
        if not self.text.startswith(b"HTTP/1.1") or self.status == SWITCHING:
            return False
        said = b",".join(_CONNECTION.findall(self.text)).lower()
        closes = b"close" in {option.strip(_BLANK) for option in said.split(b",")}
        return not closes and self.framing is not Framing.UNTIL_CLOSE

    @property
    def location(self) -> bytes:
        """Where a redirect points to (RFC 9110 section 10.2.2), b"" where none does."""
        found = _LOCATION.search(self.text)
        return found[1].strip(_BLANK) if found else b""


def parse_head(text: bytes, *, bodiless: bool) -> Head:
    """Read a head without its last blank line; raises MalformedResponse."""
    line = _STATUS_LINE.match(text)
    if line is None:
        raise MalformedResponse("no HTTP/1.x status line")
    status = int(line[1])
    if bodiless or status < FINAL or status in {204, 304}:
        return Head(status, Framing.NONE, text=text)
    codings, lengths = b"", set[bytes]()
    for name, value in _FRAMING.findall(text, line.end()):
        if name[:1] in b"tT":
            codings += b"," + value.strip(_BLANK).lower()
        else:
            lengths |= {part.strip(_BLANK) for part in value.split(b",")}
    if codings:
        last = codings.rsplit(b",", 1)[1].strip(_BLANK)
        framing = Framing.CHUNKED if last == b"chunked" else Framing.UNTIL_CLOSE
        return Head(status, framing, text=text)
    return _with_length(status, lengths, text)


def _with_length(status: int, lengths: set[bytes], text: bytes) -> Head:
    if not lengths:
        return Head(status, Framing.UNTIL_CLOSE, text=text)
    value = lengths.pop()
    if lengths or not _LENGTH.fullmatch(value):
        raise MalformedResponse("Content-Length is no single number")
    length = int(value)
    return Head(status, Framing.LENGTH if length else Framing.NONE, length, text)
