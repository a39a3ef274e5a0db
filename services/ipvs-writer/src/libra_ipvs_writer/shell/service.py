"""Composition root of the ipvs-writer."""

import asyncio
import gc
from contextlib import closing
from typing import Final

import structlog

from libra_ipvs_writer.settings import Settings
from libra_ipvs_writer.shell.kernel import Kernel
from libra_ipvs_writer.shell.lock import only_writer
from libra_ipvs_writer.shell.wire import KernelUnavailable
from libra_ipvs_writer.shell.writer import Writer
from libra_runtime import logs, metrics
from libra_runtime.nats_journal import open_journal

RETRY: Final = 1.0
"""Seconds between two looks for a kernel's IPVS that was not there."""


async def serve(settings: Settings) -> None:
    """Be the only writer of this network namespace's table until cancelled.

    Raise SecondWriter, or what the journal cannot go on with. A kernel without IPVS is waited for.
    """
    edge = settings.edge
    logs.configure("ipvs-writer", edge.node, edge.log_level)
    async with only_writer():
        with closing(await _kernel(edge.metrics_port)) as kernel:
            await _write(settings, kernel)


async def _write(settings: Settings, kernel: Kernel) -> None:
    journal = await open_journal(settings.edge)
    writer = Writer(settings, journal, kernel)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(writer.run())
            tasks.create_task(metrics.serve(settings.edge.metrics_port, writer.trouble))
            await writer.ready.wait()
            _export(writer, kernel, settings)
            gc.freeze()  # what was recovered stays: no pause for looking at it again
    except asyncio.CancelledError:
        writer.leave()
        raise
    finally:
        await journal.close()


async def _kernel(port: int) -> Kernel:
    """Open the kernel's IPVS, again every second until it is there and ours to change.

    Meanwhile `/healthz` on *port* says what is missing.
    """
    try:
        return _usable()
    except KernelUnavailable as missing:
        trouble = missing
    structlog.get_logger().error("the kernel is waited for", why=str(trouble))
    told = asyncio.create_task(metrics.serve(port, lambda: str(trouble)))
    try:
        while True:
            await asyncio.sleep(RETRY)
            try:
                return _usable()
            except KernelUnavailable as missing:
                trouble = missing
    finally:
        told.cancel()
        await asyncio.wait([told])


def _usable() -> Kernel:
    """Open the kernel's IPVS; raise KernelUnavailable also where we may not change it."""
    kernel = Kernel()
    try:
        kernel.services()
    except KernelUnavailable:
        kernel.close()
        raise
    return kernel


def _export(writer: Writer, kernel: Kernel, settings: Settings) -> None:
    """Register the metrics once the table stands: their library is slow to import."""
    from libra_ipvs_writer.shell.metrics import register  # noqa: PLC0415 - see above

    register(kernel, writer.table, paths=settings.path_metrics)
