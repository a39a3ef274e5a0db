"""Replies of a mail server, from bytes (RFC 5321 section 4.2).

The one rule: any bytes lead to a reply, to a wait for more, or to `MalformedReply` or
`OversizedReply`; what is kept while waiting is bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LINE_LIMIT: Final = 1024
"""Bytes of a line, its end included; twice what RFC 5321 section 4.5.3.1.5 allows."""
LINES_LIMIT: Final = 100
_LINE: Final = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\r\0]*))?\r?")


class MalformedReply(Exception):
    """This is no reply of a mail server."""


class OversizedReply(Exception):
    """The reply is longer than anybody's."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: its code and the text of each line."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def text(self) -> bytes:
        """The reply on one line."""
        return b" ".join((str(self.code).encode(), *filter(None, self.lines)))

    @property
    def offers(self) -> frozenset[bytes]:
        """The words of every line but the first, in capitals: what an EHLO is answered with.

        A keyword's parameters are told as `AUTH PLAIN`; the old spelling `AUTH=` counts too.
        """
        found: set[bytes] = set()
        for line in self.lines[1:]:
            keyword, *parameters = line.upper().replace(b"=", b" ", 1).split()[:50] or [b""]
            found |= {keyword, *(keyword + b" " + each for each in parameters)}
        return frozenset(found)


def take(pending: bytes) -> tuple[Reply, bytes] | None:
    """Take the first reply off what was received; None if it is not whole yet."""
    lines: list[bytes] = []
    code, at = b"", 0
    while (stop := pending.find(b"\n", at, at + LINE_LIMIT)) >= 0:
        line = _LINE.fullmatch(pending, at, stop)
        if line is None:
            raise MalformedReply("no reply line")
        if code not in {b"", line[1]}:
            raise MalformedReply(f"a reply of two codes, {code.decode()} and {line[1].decode()}")
        code, at = line[1], stop + 1
        lines.append(line[3] or b"")
        if line[2] != b"-":
            return Reply(int(code), tuple(lines)), pending[at:]
        if len(lines) == LINES_LIMIT:
            raise OversizedReply(f"a reply of more than {LINES_LIMIT} lines")
    if len(pending) - at >= LINE_LIMIT:
        raise OversizedReply(f"a line of more than {LINE_LIMIT} bytes")
    return None
