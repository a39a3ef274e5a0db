"""Waiting for a condition: no sleep where something can be awaited."""

import time
from collections.abc import Callable

POLL = 0.05


def wait_until(
    condition: Callable[[], bool], what: str, timeout: float = 30.0, poll: float = POLL
) -> float:
    """Wait until *condition* holds; return how long it took in seconds, raise TimeoutError."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > timeout:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(poll)
    return time.monotonic() - started
