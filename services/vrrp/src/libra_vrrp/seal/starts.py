"""The state file of seals: our last start, and the highest start that each sender proved.

Two lines: a SHA-256 of the second, and JSON. One rule: what is not whole is `MalformedStarts`, so
that a damaged number is never counted on from.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

LAST: Final = (1 << 32) - 1
"""The highest start that the wire carries."""


class MalformedStarts(ValueError):
    """The file was damaged, or is another's."""


@dataclass(frozen=True, slots=True)
class Starts:
    """`own` is the start in use, 0 before the first; `proven` is by sender."""

    own: int = 0
    proven: Mapping[bytes, int] = field(default_factory=dict)


def begun(starts: Starts) -> Starts:
    """Count one more start of our own; after four thousand million it stays there."""
    return replace(starts, own=min(starts.own + 1, LAST))


def proved(starts: Starts, sender: bytes, start: int) -> Starts:
    """Remember a start that answered our challenge, if it is the highest of its sender."""
    if start <= starts.proven.get(sender, 0):
        return starts
    return replace(starts, proven={**starts.proven, sender: start})


def merged(ours: Starts, stored: Starts) -> Starts:
    """Return what holds of both: the file may have been read after the first proof."""
    both = stored
    for sender, start in ours.proven.items():
        both = proved(both, sender, start)
    return both


def dumps(starts: Starts) -> bytes:
    """Return the text of the file."""
    proven = {sender.hex(): start for sender, start in sorted(starts.proven.items())}
    body = json.dumps({"own": starts.own, "proven": proven}).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body + b"\n"


def loads(text: bytes) -> Starts:
    """Read the file, or raise `MalformedStarts`."""
    digest, _, body = text.partition(b"\n")
    if digest != hashlib.sha256(body.removesuffix(b"\n")).hexdigest().encode():
        raise MalformedStarts("it is damaged")
    try:
        fields: dict[str, Any] = json.loads(body)
        proven = {bytes.fromhex(sender): int(start) for sender, start in fields["proven"].items()}
        return Starts(int(fields["own"]), proven)
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise MalformedStarts(f"it makes no sense: {wrong!r}") from wrong
