"""The times of a virtual router: how often it speaks, and how long the kernel waits for it.

Rule: what no version of VRRP can say, or no kernel can hold to, is refused as it is read.
"""

from typing import Annotated

from pydantic import BeforeValidator

from libra_schemas.config.fields import (
    Duration,
    WholeSeconds,
    parse_duration,
    parse_whole_seconds,
)

SHORTEST, LONGEST = 0.01, 40.95
"""Seconds of an interval of version 3: 12 bits of centiseconds (RFC 9568 §5.2.7)."""
LONGEST_V2 = 255
"""Seconds of an interval of version 2: an octet of seconds (RFC 3768 §5.3.7)."""


def _fits_the_packet(value: object) -> float:
    """Read an interval; raise ValueError for one that no version can say."""
    seconds = parse_duration(value)
    if SHORTEST <= seconds <= LONGEST or seconds in range(1, LONGEST_V2 + 1):
        return seconds
    hint = ""
    if not isinstance(value, str) and SHORTEST <= seconds / 1000 <= LONGEST:
        hint = f"; a bare number is in seconds: write {seconds:g}ms"
    old = "" if hint else f" (version 2: 1s to {LONGEST_V2}s)"
    raise ValueError(f"must be between 10ms and 40.95s{old}{hint}")


Interval = Annotated[Duration, BeforeValidator(_fits_the_packet)]
LEASES = range(2, 61)
"""Seconds of a lease: of a shorter one the kernel's batches leave too little to rely on."""


def _can_be_held(value: object) -> int:
    """Read a lease; raise ValueError for one under which no address could be held."""
    seconds = parse_whole_seconds(value)
    if seconds not in LEASES:
        raise ValueError(f"must be between {LEASES[0]}s and {LEASES[-1]}s")
    return seconds


Lease = Annotated[WholeSeconds, BeforeValidator(_can_be_held)]
