"""LDAP search filters, from text (RFC 4515).

Rule: what the config accepts is exactly what the health service can send; raises ValueError only.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

DEEPEST = 16
"""How deeply filters may be nested."""

_ATTRIBUTE = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)(?:;[A-Za-z0-9-]+)*")
_OPERATOR = re.compile(r"=|>=|<=|~=")
_VALUE = re.compile(r"(?:[^()*\\\0]|\\[0-9A-Fa-f]{2})*")
_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Joined:
    """All of these hold (`&`), or one of them (`|`)."""

    every: bool
    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold."""

    part: "Filter"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The attribute compares so; *operator*: `=`, `>=`, `<=` or `~=`."""

    operator: str
    attribute: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Present:
    """There is such an attribute."""

    attribute: str


@dataclass(frozen=True, slots=True)
class Substring:
    """The attribute begins with the first piece, ends with the last, holds the others between.

    The first and the last may be empty: then it begins, or ends, with anything.
    """

    attribute: str
    pieces: tuple[bytes, ...]


Filter: TypeAlias = Joined | Not | Comparison | Present | Substring


def parse(text: str) -> Filter:
    """Read a filter such as `(&(objectClass=person)(uid=a*))`; raise ValueError."""
    found, end = _filter(text, 0, DEEPEST)
    if end != len(text):
        raise _none(text, end)
    return found


def _filter(text: str, at: int, room: int) -> tuple[Filter, int]:
    if not room:
        raise ValueError(f"no LDAP filter: nested more than {DEEPEST} deep")
    if text[at : at + 1] != "(":
        raise _none(text, at, "a filter starts with (")
    sign = text[at + 1 : at + 2]
    if sign in {"&", "|"}:
        parts, end = _parts(text, at + 2, room - 1)
        return Joined(sign == "&", parts), _closed(text, end)
    if sign == "!":
        part, end = _filter(text, at + 2, room - 1)
        return Not(part), _closed(text, end)
    item, end = _item(text, at + 1)
    return item, _closed(text, end)


def _parts(text: str, at: int, room: int) -> tuple[tuple[Filter, ...], int]:
    parts: list[Filter] = []
    while not parts or text[at : at + 1] == "(":
        part, at = _filter(text, at, room)
        parts.append(part)
    return tuple(parts), at


def _item(text: str, at: int) -> tuple[Filter, int]:
    attribute = _ATTRIBUTE.match(text, at)
    if attribute is None:
        raise _none(text, at, "an attribute's name stands here")
    operator = _OPERATOR.match(text, attribute.end())
    if operator is None:
        raise _none(text, attribute.end(), "one of = >= <= ~= stands here")
    pieces, end = _pieces(text, operator.end())
    name, sign = attribute[0], operator[0]
    if len(pieces) == 1:
        return Comparison(sign, name, pieces[0]), end
    if sign != "=":
        raise _none(text, operator.end(), "* stands after = only; write \\2a")
    if not any(pieces):
        if len(pieces) > 2:  # noqa: PLR2004  the two sides of one *
            raise _none(text, operator.end(), "nothing stands between two *")
        return Present(name), end
    if not all(pieces[1:-1]):
        raise _none(text, operator.end(), "nothing stands between two *")
    return Substring(name, pieces), end


def _pieces(text: str, at: int) -> tuple[tuple[bytes, ...], int]:
    pieces: list[bytes] = []
    while True:
        piece = _VALUE.match(text, at)
        assert piece is not None  # noqa: S101  it matches nothing, too
        pieces.append(_ESCAPED.sub(lambda m: bytes([int(m[1], 16)]), piece[0].encode()))
        at = piece.end()
        if text[at : at + 1] != "*":
            return tuple(pieces), at
        at += 1


def _closed(text: str, at: int) -> int:
    if at == len(text):
        raise ValueError("no LDAP filter: a ) is missing at its end")
    if text[at : at + 1] != ")":
        raise _none(text, at, ") stands here, and \\28 \\29 \\2a \\5c for ( ) * \\ in a value")
    return at + 1


def _none(text: str, at: int, wanted: str = "it ends here") -> ValueError:
    found = repr(text[at : at + 20]) if at < len(text) else "its end"
    return ValueError(f"no LDAP filter: at character {at + 1} {wanted}, not {found}")
