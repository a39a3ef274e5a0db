"""LDAP messages, to and from bytes (RFC 4511 section 4): what bind, search and StartTLS need.

The one rule: any bytes lead to a message, to a wait for more, or to `MalformedMessage` or
`OversizedMessage`; what is kept while waiting is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from libra_health.protocols import ber
from libra_schemas.filters import Comparison, Filter, Joined, Not, Present, Substring

MESSAGE_LIMIT: Final = 65536
BIND, BOUND, UNBIND, SEARCH, ENTRY, DONE = 0x60, 0x61, 0x42, 0x63, 0x64, 0x65
REFERENCE, EXTENDED, ANSWERED, INTERMEDIATE = 0x73, 0x77, 0x78, 0x79
SCOPES: Final = {"base": 0, "one": 1, "sub": 2}
STARTTLS: Final = b"1.3.6.1.4.1.1466.20037"
_RESULTS: Final = frozenset({BOUND, DONE, ANSWERED})
_KNOWN: Final = _RESULTS | {ENTRY, REFERENCE, INTERMEDIATE}
_COMPARISONS: Final = {"=": 0xA3, ">=": 0xA5, "<=": 0xA6, "~=": 0xA8}
_VERSION: Final = 3
SUCCESS, SIZE_EXCEEDED = 0, 4
_CODES: Final = {
    0: "success", 1: "operationsError", 2: "protocolError", 3: "timeLimitExceeded",
    4: "sizeLimitExceeded", 7: "authMethodNotSupported", 8: "strongerAuthRequired",
    10: "referral", 11: "adminLimitExceeded", 12: "unavailableCriticalExtension",
    13: "confidentialityRequired", 14: "saslBindInProgress", 16: "noSuchAttribute",
    17: "undefinedAttributeType", 18: "inappropriateMatching", 32: "noSuchObject",
    34: "invalidDNSyntax", 48: "inappropriateAuthentication", 49: "invalidCredentials",
    50: "insufficientAccessRights", 51: "busy", 52: "unavailable", 53: "unwillingToPerform",
    80: "other",
}  # fmt: skip


class MalformedMessage(Exception):
    """This is no LDAP message."""


class OversizedMessage(Exception):
    """The message is longer than any that a check needs."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a server: to which request, which operation; `code` and `text` of results."""

    identity: int
    operation: int
    code: int = SUCCESS
    text: bytes = b""

    @property
    def result(self) -> str:
        """The result code by name (RFC 4511 appendix A)."""
        return _CODES.get(self.code, f"result {self.code}")


def bind(identity: int, name: str, password: bytes) -> bytes:
    """Write a simple bind; anonymous where both are empty."""
    version = ber.write_number(_VERSION)
    who = ber.write(ber.OCTETS, name.encode())
    return _request(identity, ber.write(BIND, version, who, ber.write(0x80, password)))


def search(base: str, scope: str, wanted: Filter, size_limit: int) -> bytes:
    """Write a search for entries without their attributes; to be sent by `request_search`."""
    return ber.write(
        SEARCH,
        ber.write(ber.OCTETS, base.encode()),
        ber.write_number(SCOPES[scope], ber.ENUMERATED),
        ber.write_number(0, ber.ENUMERATED),  # aliases are not followed
        ber.write_number(size_limit),
        ber.write_number(0),
        ber.write(ber.BOOLEAN, b"\xff"),
        filter_of(wanted),
        ber.write(ber.SEQUENCE, ber.write(ber.OCTETS, b"1.1")),  # RFC 4511 section 4.5.1.8
    )


def request_search(identity: int, wanted: bytes) -> bytes:
    """Write the message around a search."""
    return _request(identity, wanted)


def start_tls(identity: int) -> bytes:
    """Write the StartTLS operation (RFC 4511 section 4.14)."""
    return _request(identity, ber.write(EXTENDED, ber.write(0x80, STARTTLS)))


def unbind(identity: int) -> bytes:
    """Write the farewell, which nothing answers."""
    return _request(identity, ber.write(UNBIND))


def filter_of(wanted: Filter) -> bytes:
    """Write a filter (RFC 4511 section 4.5.1)."""
    match wanted:
        case Joined(every, each):
            return ber.write(0xA0 if every else 0xA1, *map(filter_of, each))
        case Not(part):
            return ber.write(0xA2, filter_of(part))
        case Present(attribute):
            return ber.write(0x87, attribute.encode())
        case Comparison(operator, attribute, value):
            name = ber.write(ber.OCTETS, attribute.encode())
            return ber.write(_COMPARISONS[operator], name, ber.write(ber.OCTETS, value))
        case Substring(attribute, pieces):
            tags = (0x80, *(0x81 for _ in pieces[2:]), 0x82)
            written = (ber.write(t, p) for t, p in zip(tags, pieces, strict=True) if p)
            name = ber.write(ber.OCTETS, attribute.encode())
            return ber.write(0xA4, name, ber.write(ber.SEQUENCE, *written))
        case _:
            assert_never(wanted)


def take(pending: bytes, at: int = 0) -> tuple[Message, int] | None:
    """Read the message at *at* and tell where it ends; None if it is not whole yet."""
    try:
        if pending[at : at + 1] not in {b"", b"\x30"}:
            raise MalformedMessage("no LDAP message")
        whole = ber.element(pending, at, len(pending))
        if whole is None:
            return None
        if whole.end - at > MESSAGE_LIMIT:
            raise OversizedMessage(f"a message of {whole.end - at} bytes")
        if whole.end > len(pending):
            return None
        return _message(whole), whole.end
    except ber.MalformedBer as wrong:
        raise MalformedMessage(str(wrong)) from wrong


def _message(whole: ber.Element) -> Message:
    found = ber.parts(whole, most=2)
    if len(found) != 2 or found[1].tag not in _KNOWN:  # noqa: PLR2004  id and operation
        raise MalformedMessage("no answer of a server")
    identity, operation = ber.number(found[0]), found[1]
    if operation.tag not in _RESULTS:
        return Message(identity, operation.tag)
    result = ber.parts(operation, most=3)
    if [each.tag for each in result] != [ber.ENUMERATED, ber.OCTETS, ber.OCTETS]:
        raise MalformedMessage("no result where one must be")
    code = ber.number(result[0], ber.ENUMERATED)
    return Message(identity, operation.tag, code, result[2].content)


def _request(identity: int, operation: bytes) -> bytes:
    return ber.write(ber.SEQUENCE, ber.write_number(identity), operation)
