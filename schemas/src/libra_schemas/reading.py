"""Read typed fields out of decoded JSON without pydantic, for the hot paths of the table.

Rule: every surprise is a MalformedTable that names the field.
"""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, TypeVar

from libra_schemas.errors import MalformedEvent

Word = TypeVar("Word", bound=str)


class MalformedTable(MalformedEvent):
    """JSON that describes no service, destination or operation; the reason is the message."""


def field(value: Any, name: str, default: Any = None) -> Any:
    """Take field *name* of an object; None counts as missing."""
    found = value.get(name) if isinstance(value, dict) else None
    found = default if found is None else found
    if found is None:
        raise MalformedTable(f"{name} is missing")
    return found


def text(value: Any, name: str, default: str | None = None) -> str:
    """Take a text field."""
    found = field(value, name, default)
    if not isinstance(found, str):
        raise MalformedTable(f"{name} is no text: {found!r}")
    return found


def word(value: Any, name: str, words: Sequence[Word], default: str | None = None) -> Word:
    """Take a field that is one of *words*."""
    found = text(value, name, default)
    for each in words:
        if each == found:
            return each
    raise MalformedTable(f"{name} is none of {', '.join(words)}: {found!r}")


def number(value: Any, name: str, default: int | None = None, maximum: int = 2**32 - 1) -> int:
    """Take a whole number from 0 to *maximum*."""
    found = field(value, name, default)
    if type(found) is not int or not 0 <= found <= maximum:
        raise MalformedTable(f"{name} is no number from 0 to {maximum}: {found!r}")
    return found


def items(value: Any, name: str) -> list[Any]:
    """Take a list, empty when it is missing."""
    found = field(value, name, [])
    if not isinstance(found, list):
        raise MalformedTable(f"{name} is no list: {found!r}")
    return found


def address(value: Any) -> str:
    """Take the field `address` as canonical text."""
    found = text(value, "address")
    try:
        return str(ip_address(found))
    except ValueError as error:
        raise MalformedTable(f"address: {error}") from error
