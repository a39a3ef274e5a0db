"""When a probe runs: a fixed grid per probe, laid once and kept.

The one rule: jitter places the grid at the start; nothing but a new period moves it afterwards.
"""

from __future__ import annotations


def first(now: float, every: float, jitter: float) -> float:
    """Place a new probe's first run; `jitter` from 0 up to 1 spreads probes over one period."""
    return now + every * jitter


def following(due: float, every: float, now: float) -> float:
    """Tell the next run after the one that was due at `due`: on the grid and after `now`.

    Runs that were missed are skipped, never made up for.
    """
    soon = due + every
    if soon > now:
        return soon
    return due + every * ((now - due) // every + 1)


def retimed(due: float, old: float, every: float, now: float) -> float:
    """Place the next run of a probe whose period changed from `old` to `every`.

    Counted from its last run, and never before `now`: `due` was its next run so far.
    """
    return max(now, due - old + every)


def lag(due: float, now: float) -> float:
    """Tell how late a run starts, in seconds."""
    return max(0.0, now - due)
