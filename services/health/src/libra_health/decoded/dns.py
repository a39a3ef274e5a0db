"""DNS messages in words (RFC 1035 section 4).

The one rule: a few records are shown and the others counted, so that no answer takes long.
"""

from __future__ import annotations

import struct
from typing import Final

import dns.flags
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.wire

from libra_health.decoded.flow import Show, Take, Unreadable, Way
from libra_health.protocols.dns_answer import STUMBLES

RECORDS: Final = 8
"""Records of an answer that are shown."""
_TEXT: Final = 150
"""Characters of one record."""
_HEADER: Final = struct.Struct("!HHHHHH")
_LENGTH: Final = struct.Struct("!H")
_SHOWN: Final = dns.flags.AA | dns.flags.TC | dns.flags.RD | dns.flags.RA | dns.flags.AD


def taking(way: Way) -> Take:
    """Read what goes this way; over TCP each message has its length first (section 4.2.2)."""
    return _framed if way.is_stream else _datagram


def _datagram(data: bytes, show: Show) -> tuple[str, int] | None:
    return _worded(data, show), len(data)


def _framed(data: bytes, show: Show) -> tuple[str, int] | None:
    if len(data) < _LENGTH.size:
        return None
    end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
    return (_worded(data[_LENGTH.size : end], show), end) if len(data) >= end else None


def _worded(message: bytes, show: Show) -> str:
    if len(message) < _HEADER.size:
        raise Unreadable
    identity, flags, questions, answers, authority, additional = _HEADER.unpack_from(message)
    is_answer = bool(flags & dns.flags.QR)
    words = [f"DNS {'answer' if is_answer else 'query'} id {identity:#06x}"]
    if opcode := flags >> 11 & 15:
        words.append(f"opcode {opcode}")
    if is_answer:
        words.append(dns.rcode.to_text(dns.rcode.from_flags(flags, 0)))
    if named := dns.flags.to_text(flags & _SHOWN).lower():
        words.append(named)
    others = ((authority, "authority"), (additional, "additional"))
    rest = [f"{number} {section}" for number, section in others if number]
    return "; ".join([", ".join(words), *_sections(message, questions, answers, show), *rest])


def _sections(message: bytes, questions: int, answers: int, show: Show) -> list[str]:
    """Show questions and answers as far as they can be read."""
    parser, told = dns.wire.Parser(message, _HEADER.size), list[str]()
    try:
        if questions > RECORDS:
            return [f"{questions} questions"]
        told += [_question(parser, show) for _ in range(questions)]
        records = [_record(parser, show) for _ in range(min(answers, RECORDS))]
    except STUMBLES:
        return [*told, f"not to be read: '{show(message[parser.current :])}'"]
    if answers:
        more = f" and {answers - RECORDS} more" if answers > RECORDS else ""
        told.append(f"{_counted(answers)}: {', '.join(records)}{more}")
    return told


def _counted(answers: int) -> str:
    return "1 answer" if answers == 1 else f"{answers} answers"


def _question(parser: dns.wire.Parser, show: Show) -> str:
    name = _name(parser)
    kind, family = parser.get_struct("!HH")
    return show(f"{name}{_family(family)} {dns.rdatatype.to_text(kind)}".encode())


def _record(parser: dns.wire.Parser, show: Show) -> str:
    name = _name(parser)
    kind, family, seconds, length = parser.get_struct("!HHIH")
    with parser.restrict_to(length):
        data = dns.rdata.from_wire_parser(family, kind, parser)
    text = f"{name} {seconds}{_family(family)} {dns.rdatatype.to_text(kind)} {data.to_text()}"
    return show(text.encode())[:_TEXT]


def _name(parser: dns.wire.Parser) -> dns.name.Name:
    name, size = dns.name.from_wire(parser.wire, parser.current)
    parser.seek(parser.current + size)
    return name


def _family(number: int) -> str:
    found = dns.rdataclass.RdataClass.make(number)
    return "" if found == dns.rdataclass.IN else f" {dns.rdataclass.to_text(found)}"
