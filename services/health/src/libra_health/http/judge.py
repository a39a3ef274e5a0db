"""Holds the expectations of a body against the one that came, in order.

The one rule: a pattern that may take long is handed out, and judging goes on with its answer.
"""

from __future__ import annotations

from typing import TypeAlias

from libra_health.http.expectations import Digest, Matches, missing, unmatched
from libra_health.http.run import HttpState
from libra_health.outcome import Errored, Failed, Reason, undecided
from libra_health.patterns import is_costly
from libra_health.wire import Search, Searched

Ruling: TypeAlias = Failed | Errored | tuple[int, Search] | None
"""What is wrong, None for nothing, or what has to be searched for by the expectation there."""


def judge(state: HttpState, now: float) -> Ruling:
    """Go by the expectations that are not met yet."""
    wanted, reading = state.turn.ask.body, state.reading
    if reading.is_cut and any(isinstance(each, Digest) for each in wanted):
        cut = f"body of more than {state.run.spec.body_limit} bytes (max_body)"
        return Failed(Reason.OVERSIZED, cut, now - state.run.started)
    return _judge(state, state.met, now)


def searched(state: HttpState, answer: Searched, now: float) -> Ruling:
    """Go on after the pattern that was searched for."""
    wanted, latency = state.turn.ask.body[state.met], now - state.run.started
    assert isinstance(wanted, Matches)  # noqa: S101  nothing else is searched for
    if answer.found is None:
        return undecided(wanted.pattern, tried=answer.tried, latency=latency)
    if not answer.found:
        return _lacking(state, unmatched(wanted.pattern), now)
    return _judge(state, state.met + 1, now)


def _judge(state: HttpState, met: int, now: float) -> Ruling:
    wanted, body = state.turn.ask.body, state.reading.body
    for place in range(met, len(wanted)):
        each = wanted[place]
        if isinstance(each, Matches) and is_costly(each.pattern):
            return place, Search(each.pattern, body)
        if (absent := missing(each, body)) is not None:
            return _lacking(state, absent, now)
    return None


def _lacking(state: HttpState, absent: str, now: float) -> Failed:
    detail = f"{absent} '{state.shown(state.reading.body, 200)}'"
    return Failed(Reason.CONTENT, detail, now - state.run.started)
