"""Waiting for a condition: no sleep where something can be awaited."""

import time
from collections.abc import Callable

POLL = 0.05


def wait_until(
    condition: Callable[[], bool],
    what: str,
    timeout: float = 30.0,
    poll: float = POLL,
    steady: float = 0.0,
) -> float:
    """Wait until *condition* holds, without a break for *steady* seconds.

    Return how long it took in seconds, the steady time left out; raise TimeoutError.
    """
    started = time.monotonic()
    since: float | None = None
    while True:
        holds = condition()
        now = time.monotonic()
        since = (now if since is None else since) if holds else None
        if since is not None and now - since >= steady:
            return since - started
        if now - started > timeout + steady:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(poll)
