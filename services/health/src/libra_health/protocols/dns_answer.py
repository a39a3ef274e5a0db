"""Questions to a name server and its answers, to and from bytes (RFC 1035 section 4).

The one rule: any bytes are an answer, a stranger's, or `MalformedAnswer` or `OversizedAnswer`.
The records' data is read by dnspython; the frame around them and its bounds are ours, so that no
answer holds up other checks. Slow to import: only where a check asks for it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.wire
from dns.rdtypes.ANY.TXT import TXT

from libra_schemas.answers import canonical, checked_name

RECORDS_LIMIT: Final = 100
"""Records of the answer section that are looked at."""
SIZE_LIMIT: Final = 16384
_HEADER: Final = struct.Struct("!HHHHHH")
_RESPONSE, _OPCODE, _TRUNCATED, _RECURSION, _RCODE = 0x8000, 0x7800, 0x0200, 0x0100, 0x000F
STUMBLES: Final = (
    dns.exception.DNSException, struct.error, ValueError, LookupError, ArithmeticError,
)  # fmt: skip
"""What the library raises on records that are none."""


class MalformedAnswer(Exception):
    """This is no answer of a name server."""


class OversizedAnswer(Exception):
    """The answer is longer than a check needs."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: `records` of the type asked for, in the spelling of answers.canonical."""

    rcode: str
    is_truncated: bool = False
    records: tuple[str, ...] = ()


def question(name: str, kind: str) -> bytes:
    """Write a question section; raises ValueError. Loads what reads such records."""
    number = dns.rdatatype.from_text(kind)
    dns.rdata.get_rdata_class(dns.rdataclass.IN, number)  # type: ignore[no-untyped-call]
    labels = filter(None, checked_name(name).encode().split(b"."))
    wire = b"".join(bytes((len(label),)) + label for label in labels)
    return wire + struct.pack("!xHH", number, dns.rdataclass.IN)


def query(identity: int, asked: bytes, *, recursion: bool) -> bytes:
    """Write a message that asks one question."""
    return _HEADER.pack(identity, _RECURSION if recursion else 0, 1, 0, 0, 0) + asked


def read(data: bytes, identity: int, asked: bytes) -> Answer | None:
    """Read an answer to this very question; None if it is to another one."""
    if len(data) < _HEADER.size:
        return None
    found, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
    if found != identity or not flags & _RESPONSE or flags & _OPCODE:
        return None
    rcode, end = dns.rcode.to_text(dns.rcode.from_flags(flags, 0)), _HEADER.size + len(asked)
    if not questions and rcode != "NOERROR":  # who cannot read a question does not repeat it
        return Answer(rcode)
    if questions != 1 or data[_HEADER.size : end].lower() != asked.lower():
        return None
    if flags & _TRUNCATED:
        return Answer(rcode, is_truncated=True)
    return Answer(rcode, records=_records(data, end, answers, asked))


def _records(data: bytes, at: int, count: int, asked: bytes) -> tuple[str, ...]:
    if count > RECORDS_LIMIT:
        raise OversizedAnswer(f"{count} answers")
    if len(data) > SIZE_LIMIT:
        raise OversizedAnswer(f"an answer of {len(data)} bytes")
    wanted = struct.unpack("!HH", asked[-4:])
    parser, found = dns.wire.Parser(data, at), list[str]()
    try:
        for _ in range(count):
            _skip_name(parser)
            kind, family, _, length = parser.get_struct("!HHIH")
            if (kind, family) == wanted:
                with parser.restrict_to(length):
                    found.append(_text(dns.rdata.from_wire_parser(family, kind, parser)))
            else:
                parser.get_bytes(length)
    except STUMBLES as wrong:
        raise MalformedAnswer(f"{type(wrong).__name__} in its records") from wrong
    return tuple(found)


def _skip_name(parser: dns.wire.Parser) -> None:
    """Pass over a name without following where it points (RFC 1035 section 4.1.4)."""
    while length := parser.get_uint8():
        if length >= 0xC0:  # noqa: PLR2004  a pointer, which ends the name
            parser.get_uint8()
            return
        parser.get_bytes(length)


def _text(record: dns.rdata.Rdata) -> str:
    kind = dns.rdatatype.to_text(record.rdtype)
    if isinstance(record, TXT):
        return b"".join(record.strings).decode("utf-8", "backslashreplace")
    text = str(record.to_text())
    try:
        return canonical(kind, text)
    except ValueError:  # a name that nobody would write
        return text.lower()
