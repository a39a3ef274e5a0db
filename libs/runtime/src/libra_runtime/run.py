"""The run loop: one coroutine, signals cancel it, the exit status tells how it ended."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator

from libra_schemas.errors import LibraError

REFUSED = 1
"""Exit status where what is missing or wrong is said in one sentence."""

BROKEN = 70
"""Exit status where we are wrong (sysexits.h EX_SOFTWARE)."""


def run(main: Callable[[], Awaitable[None]]) -> int:
    """Run *main* until it ends or SIGTERM/SIGINT cancels it; return the exit status."""
    try:
        asyncio.run(_supervise(main))
    except Exception as error:  # noqa: BLE001 - the run loop logs and exits: the log rebuilds us
        return _explain(error)
    return 0


async def _supervise(main: Callable[[], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main())
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise


def _explain(error: Exception) -> int:
    causes = list(_leaves(error))
    refusals = [cause for cause in causes if isinstance(cause, LibraError)]
    if len(refusals) == len(causes):
        for sentence in dict.fromkeys(str(refusal) for refusal in refusals):
            sys.stderr.write(f"{sentence}\n")
        return REFUSED
    import structlog  # noqa: PLC0415 - only a broken process pays for it here

    structlog.get_logger().critical("process broke", exc_info=error)
    return BROKEN


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
