"""Calls that a disk may keep waiting for ever, beside the loop of the reporter."""

import asyncio
import contextlib
import errno
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def beside(call: Callable[[], T]) -> asyncio.Future[T | OSError]:
    """Make a call in a thread of its own; what it returns, or raises, is the future's result.

    A thread that never comes back holds nobody up, not even the end of the process. Raise
    `OSError` where there can be no thread.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T | OSError] = loop.create_future()

    def settle(value: T | OSError) -> None:
        if not future.done():
            future.set_result(value)

    def work() -> None:
        value: T | OSError
        try:
            value = call()
        except OSError as wrong:
            value = wrong
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value)

    try:
        threading.Thread(target=work, name="beside", daemon=True).start()
    except RuntimeError as refused:
        raise OSError(errno.EAGAIN, str(refused)) from refused
    return future
