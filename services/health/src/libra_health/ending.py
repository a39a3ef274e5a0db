"""How a connection ends before a check has its answer: refused, unsecured, closed or too late.

The one rule: what is told is what was awaited, in the check's own words.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from libra_health.handshake import unsecured
from libra_health.outcome import Errored, Failed, Reason, from_errno
from libra_health.wire import DeadlineReached, Ended, Refused, Unsecured

Ending: TypeAlias = Refused | Unsecured | Ended | DeadlineReached


def cut_short(event: Ending, awaited: str, latency: float, heard: str = "") -> Failed | Errored:
    """Judge an end that came before what was *awaited*; *heard*: a part of it, as an excerpt."""
    part = f": '{heard}'" if heard else ""
    match event:
        case Refused(number, immediate):
            return from_errno(number, latency, immediate=immediate)
        case Unsecured():
            return unsecured(event, latency)
        case Ended():
            return Failed(Reason.CLOSED, f"closed before the {awaited}{part}", latency)
        case DeadlineReached():
            return Failed(Reason.TIMEOUT, f"no {awaited} in time{part}", latency)
        case _:
            assert_never(event)
