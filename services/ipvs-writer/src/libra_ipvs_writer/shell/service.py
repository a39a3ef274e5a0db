"""Composition root of the ipvs-writer."""

import asyncio
import gc
from contextlib import closing

from libra_ipvs_writer.settings import Settings
from libra_ipvs_writer.shell.kernel import Kernel
from libra_ipvs_writer.shell.lock import hold
from libra_ipvs_writer.shell.writer import Writer
from libra_runtime import logs, metrics
from libra_runtime.nats_journal import open_journal


async def serve(settings: Settings) -> None:
    """Be the only writer of this network namespace's table until cancelled.

    Raise SecondWriter, KernelUnavailable, or what the journal cannot go on with.
    """
    edge = settings.edge
    logs.configure("ipvs-writer", edge.node, edge.log_level)
    with closing(hold()), closing(Kernel()) as kernel:
        journal = await open_journal(edge)
        writer = Writer(settings, journal, kernel)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(writer.run())
                tasks.create_task(metrics.serve(edge.metrics_port, writer.trouble))
                await writer.ready.wait()
                _export(writer, kernel)
                gc.freeze()  # what was recovered stays: no pause for looking at it again
        except asyncio.CancelledError:
            writer.leave()
            raise
        finally:
            await journal.close()


def _export(writer: Writer, kernel: Kernel) -> None:
    """Register the metrics once the table stands: their library is slow to import."""
    from libra_ipvs_writer.shell.metrics import register  # noqa: PLC0415 - see above

    register(kernel, writer.table)
