"""gRPC's health protocol in bytes: a request, its answer, and how an answer ends.

`grpc.health.v1.Health/Check`; a message is prefixed by a flag and its length ("gRPC over HTTP/2",
Length-Prefixed-Message) and encoded as proto3. The one rule: fields that nobody knows are passed
over.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_to_bytes

PATH: Final = "/grpc.health.v1.Health/Check"
SERVING: Final = 1
OK: Final = 0
UNIMPLEMENTED: Final = 12
MESSAGE_LIMIT: Final = 4096
"""Bytes of an answer; that of the health protocol has two."""

_PREFIX: Final = 5
_SEVEN: Final = 7
_VARINT_LIMIT: Final = 10
_VARINT, _FIXED64, _COUNTED, _FIXED32 = 0, 1, 2, 5
_SKIPPED: Final = {_FIXED64: 8, _FIXED32: 4}
_SERVING: Final = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_STATUS: Final = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip


class MalformedAnswer(ValueError):
    """What came is no answer of the health protocol."""


def request(service: str) -> bytes:
    """Write a HealthCheckRequest, with its prefix; "" asks about the whole server."""
    name = service.encode()
    field = b"\x0a" + _varint(len(name)) + name if name else b""
    return b"\0" + len(field).to_bytes(4, "big") + field


def status_of(body: bytes) -> int:
    """Read the one HealthCheckResponse of an answer; raises MalformedAnswer."""
    if not body:
        raise MalformedAnswer("no message")
    if body[0]:
        raise MalformedAnswer("a compressed message, which nobody asked for")
    if len(body) < _PREFIX or len(body) - _PREFIX != int.from_bytes(body[1:_PREFIX], "big"):
        raise MalformedAnswer("not one whole message")
    return _first_field(body[_PREFIX:])


def _first_field(message: bytes) -> int:
    """Read field 1 as an enum, 0 where there is none; the last one counts (proto3)."""
    found, at = 0, 0
    while at < len(message):
        key, at = _number(message, at)
        kind = key & _SEVEN
        if kind in _SKIPPED:
            at += _SKIPPED[kind]
        elif kind in {_VARINT, _COUNTED}:
            value, at = _number(message, at)
            at += value if kind == _COUNTED else 0
            found = value if key == 1 << 3 else found
        else:
            raise MalformedAnswer("no protobuf")
    if at > len(message):
        raise MalformedAnswer("half a field")
    return found


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:  # noqa: PLR2004  seven bits a byte
        written.append(0x80 | number & 0x7F)
        number >>= 7
    return bytes((*written, number))


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read the varint at `at`; gives it and where it ends."""
    number = 0
    for place, byte in enumerate(data[at : at + _VARINT_LIMIT]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004  the last byte of a number
            return number, at + place + 1
    raise MalformedAnswer("half a number")


def serving_name(status: int) -> str:
    """Name a ServingStatus."""
    return _SERVING[status] if status < len(_SERVING) else f"status {status}"


def status_name(code: int) -> str:
    """Name a grpc-status with its number."""
    return f"{code} {_STATUS[code]}" if code < len(_STATUS) else str(code)


def message_of(text: bytes) -> bytes:
    """Decode a grpc-message; what is no percent-encoding stands as it is."""
    return unquote_to_bytes(text)
