"""The part of BER that LDAP needs (X.690, restricted as RFC 4511 section 5.1 says).

The one rule: definite lengths and one octet of tag; anything else is `MalformedBer`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LENGTH_OCTETS: Final = 4
_MANY: Final = 0x80
_LONG_TAG: Final = 0x1F
BOOLEAN, INTEGER, OCTETS, ENUMERATED, SEQUENCE = 0x01, 0x02, 0x04, 0x0A, 0x30


class MalformedBer(Exception):
    """This is no such encoding."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of `data`: its contents lie from `begin` up to `end`."""

    tag: int
    data: bytes
    begin: int
    end: int

    @property
    def content(self) -> bytes:
        """The contents' octets."""
        return self.data[self.begin : self.end]


def write(tag: int, *contents: bytes) -> bytes:
    """Write an element around its contents."""
    content = b"".join(contents)
    size = len(content)
    if size < _MANY:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _MANY | len(octets))) + octets + content


def write_number(number: int, tag: int = INTEGER) -> bytes:
    """Write an integer of 0 or more, or an enumerated value."""
    return write(tag, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def element(data: bytes, at: int, end: int) -> Element | None:
    """Read where the element at *at* lies; None if its head is not there yet.

    Its end may lie beyond *end*: then it is not whole.
    """
    if end - at < 2:  # noqa: PLR2004  tag and length
        return None
    tag, size, begin = data[at], data[at + 1], at + 2
    if tag & _LONG_TAG == _LONG_TAG:
        raise MalformedBer("a tag of several octets")
    if size >= _MANY:
        octets = size - _MANY
        if not 0 < octets <= LENGTH_OCTETS:
            raise MalformedBer("a length of no or too many octets")
        if end - begin < octets:
            return None
        size, begin = int.from_bytes(data[begin : begin + octets], "big"), begin + octets
    return Element(tag, data, begin, begin + size)


def parts(outer: Element, *, most: int) -> list[Element]:
    """Read at most the *most* first elements within one that is whole."""
    found: list[Element] = []
    at = outer.begin
    while at < outer.end and len(found) < most:
        inner = element(outer.data, at, outer.end)
        if inner is None or inner.end > outer.end:
            raise MalformedBer("an element that ends after the one it is in")
        found.append(inner)
        at = inner.end
    return found


def number(found: Element, tag: int = INTEGER) -> int:
    """Read an integer or an enumerated value of at most 4 octets."""
    if found.tag != tag or not 0 < found.end - found.begin <= LENGTH_OCTETS:
        raise MalformedBer("no number where one must be")
    return int.from_bytes(found.content, "big", signed=True)
