"""LDAP messages in words (RFC 4511 section 4): a client's that a check sends, a server's any.

The one rule: the password of a bind is not shown, whoever's it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from libra_health.decoded.flow import Show, Take, Unreadable, Way
from libra_health.protocols import ber
from libra_health.protocols import ldap_message as ldap

_DEEP: Final = 8
"""How deep filters in filters are shown."""
_MANY: Final = 20
"""Parts of a filter that are shown."""
_SCOPES: Final = {number: word for word, number in ldap.SCOPES.items()}
_SIMPLE: Final = 0x80
_RESULTS: Final = {
    ldap.BOUND: "bind result", ldap.DONE: "search done", ldap.ANSWERED: "extended result",
}  # fmt: skip
_COMPARED: Final = {0xA3: "=", 0xA5: ">=", 0xA6: "<=", 0xA8: "~="}
_JOINED: Final = {0xA0: "&", 0xA1: "|", 0xA2: "!"}
_SUBSTRINGS, _PRESENT = 0xA4, 0x87
_INITIAL, _FINAL = 0x80, 0x82


def taking(way: Way) -> Take:
    """Read what goes this way."""
    return partial(_take, _asked if way.is_sent else _answered)


def _take(
    worded: Callable[[ber.Element, Show], str], data: bytes, show: Show
) -> tuple[str, int] | None:
    try:
        if data[:1] != b"\x30":
            raise Unreadable
        whole = ber.element(data, 0, len(data))
        if whole is None or whole.end > len(data):
            if whole is not None and whole.end > ldap.MESSAGE_LIMIT:
                raise Unreadable
            return None
        identity, operation = ber.parts(whole, most=2)
        return f"LDAP {ber.number(identity)} {worded(operation, show)}", whole.end
    except (ber.MalformedBer, ValueError) as wrong:  # too few parts
        raise Unreadable from wrong


def _asked(operation: ber.Element, show: Show) -> str:
    """Put a request in words."""
    match operation.tag:
        case ldap.BIND:
            return _bind(operation, show)
        case ldap.SEARCH:
            return _search(operation, show)
        case ldap.EXTENDED:
            (name,) = ber.parts(operation, most=1)
            is_known = name.content == ldap.STARTTLS
            return "StartTLS" if is_known else f"extended request '{show(name.content)}'"
        case ldap.UNBIND:
            return "unbind"
        case _:
            raise Unreadable


def _answered(operation: ber.Element, show: Show) -> str:
    """Put a message of a server in words."""
    match operation.tag:
        case ldap.BOUND | ldap.DONE | ldap.ANSWERED:
            return _result(operation, show)
        case ldap.ENTRY:
            (name,) = ber.parts(operation, most=1)
            return f"entry '{show(name.content)}'"
        case ldap.REFERENCE:
            places = ber.parts(operation, most=_MANY)
            return f"reference {', '.join(show(each.content) for each in places)}"
        case ldap.INTERMEDIATE:
            return "intermediate answer"
        case _:
            raise Unreadable


def _bind(operation: ber.Element, show: Show) -> str:
    _, name, secret = ber.parts(operation, most=3)
    if secret.tag != _SIMPLE:
        raise Unreadable
    if not name.content and not secret.content:
        return "bind, anonymous"
    password = "password (secret)" if secret.content else "no password"
    return f"bind as '{show(name.content)}', {password}"


def _search(operation: ber.Element, show: Show) -> str:
    base, scope, _, most, _, _, wanted = ber.parts(operation, most=7)
    number = ber.number(scope, ber.ENUMERATED)
    limit = ber.number(most)
    bound = f", size limit {limit}" if limit else ""
    within = f"'{show(base.content)}', scope {_SCOPES.get(number, number)}"
    return f"search in {within}, for {_filter(wanted, show)}{bound}"


def _result(operation: ber.Element, show: Show) -> str:
    code, matched, text = ber.parts(operation, most=3)
    result = ldap.Message(0, operation.tag, ber.number(code, ber.ENUMERATED))
    up_to = f", matched '{show(matched.content)}'" if matched.content else ""
    said = f": '{show(text.content)}'" if text.content else ""
    return f"{_RESULTS[operation.tag]} {result.result} ({result.code}){up_to}{said}"


def _filter(wanted: ber.Element, show: Show, deep: int = 0) -> str:
    """Write a filter as people do (RFC 4515)."""
    tag = wanted.tag
    if deep == _DEEP:
        return "(...)"
    if tag in _JOINED:
        parts = ber.parts(wanted, most=_MANY)
        return f"({_JOINED[tag]}{''.join(_filter(part, show, deep + 1) for part in parts)})"
    if tag == _PRESENT:
        return f"({show(wanted.content)}=*)"
    if tag == _SUBSTRINGS:
        name, pieces = ber.parts(wanted, most=2)
        return f"({show(name.content)}={_substrings(pieces, show)})"
    if tag in _COMPARED:
        name, value = ber.parts(wanted, most=2)
        return f"({show(name.content)}{_COMPARED[tag]}{show(value.content)})"
    raise Unreadable


def _substrings(pieces: ber.Element, show: Show) -> str:
    """Write the pieces with what stands between them; the first and the last have own tags."""
    found = ber.parts(pieces, most=_MANY)
    text = "*".join(show(each.content) for each in found)
    before = "" if found and found[0].tag == _INITIAL else "*"
    after = "" if found and found[-1].tag == _FINAL else "*"
    return f"{before}{text}{after}"
