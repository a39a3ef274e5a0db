"""What servers of well-known protocols say first, or to a first question.

The one rule: a reader is given all that was heard, in however many pieces it came, and tells where
the answer ends, that more has to come, or what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from libra_health.outcome import Reason, excerpt

LINE_LIMIT: Final = 4096
"""Bytes within which a line ends: eight times what any of these protocols allows."""
PACKET_LIMIT: Final = 65535
"""Bytes of the longest packet that is waited for."""
ALIVE_MYSQL: Final = frozenset({1045, 1251, 1698, 3118, 3159, 4151})
"""Errors by which a working server turns a stranger away (MySQL's and MariaDB's error list)."""
DEAD_LDAP: Final = {1: "operationsError", 51: "busy", 52: "unavailable", 80: "other"}
"""Results by which a server says that it does not work (RFC 4511 appendix A.2)."""

_CODE: Final = re.compile(rb"[1-5][0-9]{2}(?:[ -]|\r?$)")
_LONG_BER: Final = 0x80
_LONGEST_SIZE: Final = 4
"""Bytes of a BER length that are read."""
_HEAD: Final = 5
"""Bytes of a packet's size, its counter and its first byte; of PostgreSQL its kind and size."""
_MYSQL_ERROR: Final = b"\xff"


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that does not pass: STATUS where the server says no, else MALFORMED."""

    reason: Reason
    detail: str


Read: TypeAlias = int | Wrong | None
"""Where the answer ends, what is wrong with it, or None where more has to come."""
Reader: TypeAlias = Callable[[bytes], Read]


def reply(heard: bytes) -> Read:
    """Read a reply of one or several lines whose code is 220 (RFC 5321 4.2.1, RFC 959 4.2)."""
    end = _line_end(heard)
    if end is None or isinstance(end, Wrong):
        return end
    line = heard[:end].rstrip(b"\r\n")
    if not _CODE.match(line):
        return _unlike("a reply", line)
    if line[3:4] == b"-":
        last = re.compile(rb"^%s(?: [^\n]*|\r?)\n" % line[:3], re.MULTILINE).search(heard)
        if last is None:
            return None
        end = last.end()
    return end if line[:3] == b"220" else _refusal(line)


def imap(heard: bytes) -> Read:
    """Read an IMAP greeting (RFC 9051 section 7.1)."""
    return _worded(heard, "an IMAP greeting", (b"* OK", b"* PREAUTH"), b"* BYE")


def pop3(heard: bytes) -> Read:
    """Read a POP3 greeting (RFC 1939 section 4)."""
    return _worded(heard, "a POP3 greeting", (b"+OK",), b"-ERR")


def redis(heard: bytes) -> Read:
    """Read the answer to PING; one that asks for a password comes from a working server too."""
    return _worded(heard, "an answer to PING", (b"+PONG", b"-NOAUTH", b"-NOPERM"), b"-")


def ldap(heard: bytes) -> Read:
    """Read the answer to a bind: any result but that the server does not work (RFC 4511 4.2.2)."""
    message = _element(heard, 0, 0x30)
    if not isinstance(message, tuple):
        return message
    start, end = message
    inside = heard[:end]
    number = _element(inside, start, 0x02)
    if not isinstance(number, tuple):
        return number or _unlike("an LDAP message", heard)
    if heard[number[1] : number[1] + 1] == b"\x78":
        return Wrong(Reason.STATUS, f"notice of disconnection: '{excerpt(inside, 300)}'")
    bind = _element(inside, number[1], 0x61)
    result = _element(inside, bind[0], 0x0A) if isinstance(bind, tuple) else bind
    if not isinstance(result, tuple) or result[0] == result[1]:
        return _unlike("an answer to a bind", heard)
    code = int.from_bytes(heard[result[0] : result[1]], "big")
    if code in DEAD_LDAP:
        said = _ldap_told(inside, result[1])
        return Wrong(Reason.STATUS, f"bind: result {code} ({DEAD_LDAP[code]}){said}")
    return end


def mysql(heard: bytes) -> Read:
    """Read the first packet: a handshake of protocol 10, or an error (MySQL Internals 14.2.5)."""
    packet = _mysql_packet(heard, 0)
    if not isinstance(packet, int):
        return packet
    if heard[4:5] == _MYSQL_ERROR:
        return _mysql_refusal(heard[:packet])
    return packet if heard[4:5] == b"\x0a" else _unlike("a handshake of protocol 10", heard)


def mysql_login(heard: bytes) -> Read:
    """Read the answer to a login: whether it is let in or not, it was looked at."""
    packet = _mysql_packet(heard, 2)
    if not isinstance(packet, int):
        return packet
    if heard[4:5] != _MYSQL_ERROR:
        return packet
    known = int.from_bytes(heard[5:7], "little") in ALIVE_MYSQL
    return packet if known else _mysql_refusal(heard[:packet])


def postgresql(heard: bytes) -> Read:
    """Read the answer to an SSLRequest: S or N, or an error (PostgreSQL's protocol, 55.2.11)."""
    first = heard[:1]
    if first in {b"", b"S", b"N"}:
        return len(first) or None
    if first != b"E":
        return _unlike("an answer to an SSLRequest", heard)
    if len(heard) < _HEAD:
        return None
    size = int.from_bytes(heard[1:5], "big")
    if size > PACKET_LIMIT:  # of before 2003: a text
        return Wrong(Reason.STATUS, f"error: '{excerpt(heard[1:], 300)}'")
    if len(heard) < 1 + size:
        return None
    fields = heard[5 : 1 + size].split(b"\0")
    told = next((each[1:] for each in fields if each[:1] == b"M"), heard[5 : 1 + size])
    return Wrong(Reason.STATUS, f"error: '{excerpt(told, 300)}'")


READERS: Final[dict[str, tuple[str, Reader]]] = {
    "220": ("a reply 220", reply),
    "imap": ("* OK", imap),
    "pop3": ("+OK", pop3),
    "redis": ("+PONG", redis),
    "ldap": ("an answer to a bind", ldap),
    "mysql": ("a handshake of protocol 10", mysql),
    "mysql login": ("an answer to a login", mysql_login),
    "postgresql": ("S or N", postgresql),
}
"""Name -> what it waits for, in words, and the reader."""


def _line_end(heard: bytes) -> Read:
    end = heard.find(b"\n", 0, LINE_LIMIT) + 1
    if end:
        return end
    return _unlike("a line", heard) if len(heard) >= LINE_LIMIT else None


def _worded(heard: bytes, what: str, good: tuple[bytes, ...], bad: bytes) -> Read:
    """Read one line that begins with a word that passes or one that does not."""
    end = _line_end(heard)
    if end is None or isinstance(end, Wrong):
        return end
    line = heard[:end].rstrip(b"\r\n")
    if line.upper().startswith(good):
        return end
    return _refusal(line) if line.upper().startswith(bad) else _unlike(what, line)


def _element(data: bytes, at: int, tag: int) -> tuple[int, int] | Wrong | None:
    """Find where the content of a BER element starts and ends (X.690 section 8.1)."""
    if at < len(data) and data[at] != tag:
        return _unlike("an LDAP message", data)
    if len(data) < at + 2:
        return None
    start, size = at + 2, data[at + 1]
    if size >= _LONG_BER:
        count = size - _LONG_BER
        if not 1 <= count <= _LONGEST_SIZE:
            return _unlike("an LDAP message", data)
        if len(data) < start + count:
            return None
        size, start = int.from_bytes(data[start : start + count], "big"), start + count
    if size > PACKET_LIMIT:
        return _unlike("an LDAP message", data)
    return (start, start + size) if len(data) >= start + size else None


def _ldap_told(message: bytes, at: int) -> str:
    """Show the diagnostic message of an LDAPResult, which follows the matched name."""
    matched = _element(message, at, 0x04)
    told = _element(message, matched[1], 0x04) if isinstance(matched, tuple) else matched
    if not isinstance(told, tuple) or told[0] == told[1]:
        return ""
    return f": '{excerpt(message[told[0] : told[1]], 300)}'"


def _mysql_packet(heard: bytes, sequence: int) -> Read:
    """Tell where a packet ends: three bytes of size, one that counts, at least one of content."""
    if len(heard) < _HEAD:
        return None
    size = int.from_bytes(heard[:3], "little")
    if not 1 <= size <= PACKET_LIMIT or heard[3] not in {0, sequence}:
        return _unlike("a packet of MySQL", heard)
    return 4 + size if len(heard) >= 4 + size else None


def _mysql_refusal(packet: bytes) -> Wrong:
    code, told = int.from_bytes(packet[5:7], "little"), packet[7:]
    told = told[6:] if told[:1] == b"#" else told
    return Wrong(Reason.STATUS, f"error {code}: '{excerpt(told, 300)}'")


def _refusal(line: bytes) -> Wrong:
    return Wrong(Reason.STATUS, f"the backend says no: '{excerpt(line, 300)}'")


def _unlike(what: str, heard: bytes) -> Wrong:
    return Wrong(Reason.MALFORMED, f"not {what}: '{excerpt(heard, 300)}'")
