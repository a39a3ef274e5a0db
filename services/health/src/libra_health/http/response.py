"""Reader of HTTP/1.x responses (RFC 9112), for checks: bounded, incremental, no I/O.

The one rule: any bytes lead to a reading or to `MalformedResponse`, in bounded memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from libra_health.http.head import FINAL, SWITCHING, Framing, Head, MalformedResponse, parse_head

HEAD_LIMIT: Final = 32768
"""Bytes of all heads together, interim ones included, and of a chunked body's trailer."""
SIZE_LINE_LIMIT: Final = 256
"""Bytes of a chunk-size line with its extensions."""

_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\n]*)?")


class OversizedResponse(Exception):
    """The backend sent more than the check is ready to hold."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a response has been read; `pending` bytes are not understood yet.

    Once it is complete they are what came after it.
    """

    head: Head | None = None
    pending: bytes = b""
    body: bytes = b""
    spent: int = 0
    is_complete: bool = False
    is_cut: bool = False
    """The body was longer than asked for; its beginning is complete."""

    @property
    def leaves_open(self) -> bool:
        """Whether another request may be sent over the same connection."""
        is_whole = self.is_complete and not self.is_cut and not self.pending
        return is_whole and self.head is not None and self.head.persists


NOTHING: Final = Reading()


def feed(reading: Reading, data: bytes, *, body_limit: int, bodiless: bool) -> Reading:
    """Read on with what arrived. `bodiless`: the request was HEAD.

    At most `body_limit` bytes of the body are held; with them the reading is complete.
    Raises MalformedResponse or OversizedResponse (the head).
    """
    if reading.is_complete:
        return reading
    pending, head = reading.pending + data, reading.head
    reading = Reading(head, pending, reading.body, reading.spent)
    if head is None:
        reading = _read_head(reading, bodiless=bodiless)
        head = reading.head
    if head is None or reading.is_complete:
        return reading
    return _read_body(reading, head, body_limit)


def finish(reading: Reading) -> Reading:
    """Read on after the backend closed in good order. Raises MalformedResponse if too early."""
    if reading.head is None:
        raise MalformedResponse("closed before a whole head")
    if reading.is_complete or reading.head.framing is Framing.UNTIL_CLOSE:
        return replace(reading, is_complete=True)
    raise MalformedResponse("closed within the body")


def _read_head(reading: Reading, *, bodiless: bool) -> Reading:
    while True:
        pending, spent = reading.pending, reading.spent
        end = _END_OF_HEAD.search(pending)
        if spent + (end.end() if end else len(pending)) > HEAD_LIMIT:
            raise OversizedResponse(f"head of more than {HEAD_LIMIT} bytes")
        if end is None:
            _refuse_early(pending)
            return reading
        head = parse_head(pending[: end.start()], bodiless=bodiless)
        rest, spent = pending[end.end() :], spent + end.end()
        if head.status >= FINAL or head.status == SWITCHING:
            complete = head.framing is Framing.NONE
            return Reading(head, rest, spent=spent, is_complete=complete)
        reading = Reading(pending=rest, spent=spent)


def _refuse_early(pending: bytes) -> None:
    """Do not wait for the end of a head that cannot become one."""
    prefix = b"HTTP/1."
    if pending[: len(prefix)] != prefix[: len(pending)]:
        raise MalformedResponse("no HTTP/1.x status line")


def _read_body(reading: Reading, head: Head, limit: int) -> Reading:
    if head.framing is Framing.CHUNKED:
        return _read_chunks(reading, limit)
    body, surplus = reading.body + reading.pending, b""
    if head.framing is Framing.LENGTH:
        body, surplus = body[: head.length], body[head.length :]
    if len(body) > limit or (head.length > limit and len(body) == limit):
        return _cut(reading, body, limit)
    complete = head.framing is Framing.LENGTH and len(body) == head.length
    return Reading(head, surplus, body, reading.spent, is_complete=complete)


def _cut(reading: Reading, body: bytes, limit: int) -> Reading:
    return replace(reading, pending=b"", body=body[:limit], is_complete=True, is_cut=True)


def _read_chunks(reading: Reading, limit: int) -> Reading:
    """Take every whole chunk that is there (RFC 9112 section 7.1)."""
    pending, chunks, at, total = reading.pending, [reading.body], 0, len(reading.body)
    while (line := _size_line(pending, at)) is not None:
        size, begin = line
        if size == 0:
            return _read_trailer(reading, b"".join(chunks), pending[at:], begin - at)
        stop = begin + size
        room = limit - total
        if size > room and len(pending) - begin >= room:
            return _cut(reading, b"".join([*chunks, pending[begin : begin + room]]), limit)
        after = _end_of_chunk(pending, stop)
        if after is None:
            break
        chunks.append(pending[begin:stop])
        total, at = total + size, after
    return replace(reading, pending=pending[at:], body=b"".join(chunks))


def _size_line(pending: bytes, at: int) -> tuple[int, int] | None:
    """Return the size of the chunk at `at` and where its data begins; None if not there yet."""
    newline = pending.find(b"\n", at, at + SIZE_LINE_LIMIT)
    if newline < 0:
        if len(pending) - at >= SIZE_LINE_LIMIT:
            raise MalformedResponse("endless chunk-size line")
        return None
    line = _CHUNK_SIZE.fullmatch(pending[at:newline].rstrip(b"\r"))
    if line is None:
        raise MalformedResponse("no chunk size where one must be")
    return int(line[1], 16), newline + 1


def _end_of_chunk(pending: bytes, at: int) -> int | None:
    tail = pending[at : at + 2]
    if tail == b"\r\n":
        return at + 2
    if tail[:1] == b"\n":
        return at + 1
    if tail in {b"", b"\r"}:
        return None
    raise MalformedResponse("chunk does not end where it said")


def _read_trailer(reading: Reading, body: bytes, pending: bytes, begin: int) -> Reading:
    """Finish at the blank line after the last chunk; `begin` is just after its size line."""
    if end := _END_OF_HEAD.search(pending, max(0, begin - 2)):
        return replace(reading, pending=pending[end.end() :], body=body, is_complete=True)
    if len(pending) > HEAD_LIMIT:
        raise OversizedResponse(f"trailer of more than {HEAD_LIMIT} bytes")
    return replace(reading, pending=pending, body=body)
