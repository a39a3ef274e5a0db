"""The least that can change the kernel when an event comes: the control of row table-change.

A process with nats-py alone: one JetStream message in, one netlink message out; it reads no
config, folds nothing and says nothing. What this takes is the bus, the machine and the observer.
It has a service of its own, which LibrA leaves alone.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

from bench.rows.table_cold import BACKENDS
from libra_ipvs_writer.plan import plan
from libra_ipvs_writer.shell.kernel import Kernel
from libra_runtime.client import nats_module
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable

STREAM, SUBJECT = "BENCH", "bench.change"
KEY = ServiceKey.of("tcp", "192.0.2.11", 1000)
WHOLE = ServiceTable.of(
    Service(KEY, "wlc"), (Destination(f"10.250.0.{each + 1}", 80) for each in range(BACKENDS))
)
LESS = ServiceTable.of(WHOLE.service, WHOLE.destinations[1:])


@asynccontextmanager
async def hop(url: str, seed: Path) -> AsyncIterator[Callable[[bool], Awaitable[Any]]]:
    """Run this module as a process of its own; yield how to say that the first server is up."""
    async with _connection(url, seed) as client:
        stream = client.jetstream()
        await stream.add_stream(name=STREAM, subjects=[SUBJECT])

        def say(up: bool) -> Awaitable[Any]:  # noqa: FBT001 - a verdict, not a switch
            return asyncio.create_task(stream.publish(SUBJECT, b"up" if up else b"down"))

        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.bare", url, str(seed), stdout=subprocess.PIPE
        )
        try:
            assert running.stdout is not None  # noqa: S101  it is a pipe
            if await running.stdout.readline() != b"listening\n":
                raise RuntimeError("the bare process does not listen")
            yield say
        finally:
            with suppress(ProcessLookupError):
                running.terminate()
            await running.wait()


@asynccontextmanager
async def _connection(url: str, seed: Path) -> AsyncIterator[Any]:
    client = nats_module().aio.client.Client()
    await client.connect(url, nkeys_seed=str(seed))
    try:
        yield client
    finally:
        await client.close()


async def _obey(url: str, seed: Path) -> None:
    with closing(Kernel()) as kernel:
        kernel.perform(plan({KEY: WHOLE}, {}))
        up, down = plan({KEY: WHOLE}, {KEY: LESS}), plan({KEY: LESS}, {KEY: WHOLE})

        async def change(message: Any) -> None:
            kernel.perform(up if message.data == b"up" else down)

        async with _connection(url, seed) as client:
            await client.jetstream().subscribe(SUBJECT, cb=change, ordered_consumer=True)
            await client.flush()
            sys.stdout.write("listening\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(asyncio.CancelledError):
        asyncio.run(_obey(sys.argv[1], Path(sys.argv[2])))
