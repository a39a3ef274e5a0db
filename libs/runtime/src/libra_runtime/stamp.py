"""Wall time and ids, stamped once, by the shell."""

import os
import threading
import time
from datetime import UTC, datetime

from libra_schemas.envelope import Draft
from libra_schemas.events import EventData

_lock = threading.Lock()
_newest = 0


def new_id() -> str:
    """Make a UUIDv7 (RFC 9562 §5.7) that is greater than every one made before it here.

    48 bits of milliseconds, then 12 bits of the millisecond's fraction (§6.2 method 3) and
    62 random bits; a clock that stands still or steps back only counts up.
    """
    global _newest  # noqa: PLW0603 - the one value that makes ids monotonic in a process
    with _lock:
        milliseconds, rest = divmod(time.time_ns(), 1_000_000)
        _newest = max(_newest + 1, milliseconds << 12 | (rest << 12) // 1_000_000)
        stamp = _newest
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62
    value |= int.from_bytes(os.urandom(8), "big") >> 2
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def now() -> datetime:
    """Read the wall clock as aware UTC; for envelopes only, never for decisions."""
    return datetime.now(UTC)


def draft(
    event_type: str,
    key: tuple[str, ...],
    data: EventData,
    *,
    cause: str | None = None,
    configrev: str | None = None,
) -> Draft:
    """Stamp a fact decided now; *cause* is the id of the event that caused it first."""
    return Draft(event_type, key, data, new_id(), now(), causationid=cause, configrev=configrev)
