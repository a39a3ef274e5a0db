"""The file with the keys of sealed heartbeats: one key a line, at most two, the first one seals.

`libra-seal-1 <44 characters of base64>`; empty lines and lines that begin with # do not count.
Rolling a key: add the new one on every node, then switch on every node, then retire the old one.
One rule: a message never shows a key.
"""

import base64
import binascii
from typing import Final

KEY: Final = 32
"""Octets of a key."""
MOST: Final = 2
"""Keys that are valid at once."""

_WORD: Final = "libra-seal-1"


class MalformedKeys(ValueError):
    """The text is no list of keys; the message says which line and how to mend it."""


def parse(text: str) -> tuple[bytes, ...]:
    """Read the keys in their order, or raise `MalformedKeys`."""
    found: list[bytes] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            found.append(_key(line.split(), number))
    if not found:
        raise MalformedKeys("no key in it: make one with `libra keys seal FILE`")
    if len(found) > MOST:
        raise MalformedKeys(f"{len(found)} keys: at most {MOST} are valid at once")
    if len(set(found)) < len(found):
        raise MalformedKeys("the same key twice")
    return tuple(found)


def dumps(keys: tuple[bytes, ...]) -> str:
    """Return the text of the file."""
    lines = [f"{_WORD} {base64.b64encode(key).decode()}\n" for key in keys]
    return "# LibrA: keys of sealed heartbeats; the first one seals.\n" + "".join(lines)


def added(keys: tuple[bytes, ...], key: bytes) -> tuple[bytes, ...]:
    """Accept a second key, which does not seal yet; raise `ValueError` where two are there."""
    if len(keys) >= MOST:
        raise ValueError("there are two keys already: retire the old one first (--retire)")
    return (*keys, key)


def switched(keys: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Let the second key seal; raise `ValueError` where there is none."""
    if len(keys) < MOST:
        raise ValueError("there is one key only: add a second one first (--add)")
    return keys[::-1]


def retired(keys: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Drop the key that does not seal; raise `ValueError` where there is none."""
    if len(keys) < MOST:
        raise ValueError("there is one key only: nothing is left to retire")
    return keys[:1]


def _key(words: list[str], number: int) -> bytes:
    match words:
        case [word, encoded] if word == _WORD:
            try:
                key = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                raise MalformedKeys(f"line {number}: the key is no base64") from None
            if len(key) != KEY:
                raise MalformedKeys(f"line {number}: {len(key)} octets, a key has {KEY}")
            return key
        case _:
            raise MalformedKeys(f"line {number}: expected `{_WORD} KEY`; see `libra keys seal`")
