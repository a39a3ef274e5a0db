"""One writer per kernel, that is per network namespace: see `libra_runtime.claim`.

Two writers of one node are also kept apart by the epoch at the log; two that share no log are by
the claim alone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import structlog

from libra_runtime.claim import RETRY, Claim
from libra_schemas.errors import LibraError

PROGRAM = "libra-ipvs-writer"


class SecondWriter(LibraError):
    """Another ipvs-writer holds this kernel's table."""


@asynccontextmanager
async def only_writer(name: str | None = None) -> AsyncIterator[None]:
    """Be the one that may write; raise SecondWriter where another is.

    Who has the name and is neither root nor our own user is told once in the log, and costs
    nothing. Who has it without answering may be about to: it is asked twice.
    """
    with closing(Claim(PROGRAM, structlog.get_logger().warning, name)) as claim:
        claim.take()
        if claim.rival is not None:
            await asyncio.sleep(RETRY)
            claim.take()
        if claim.rival is not None:
            raise SecondWriter(
                "Another ipvs-writer already writes this kernel's IPVS table: "
                "stop it, or start this one in a network namespace of its own."
            )
        yield
