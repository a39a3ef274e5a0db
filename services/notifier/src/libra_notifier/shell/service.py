"""The notifier of one node: journal, metrics and the desk that tells."""

import asyncio
import resource

from libra_notifier.settings import SERVICE
from libra_notifier.shell.desk import Desk
from libra_runtime import logs, metrics
from libra_runtime.nats_journal import open_journal
from libra_runtime.settings import Edge


async def serve() -> None:
    """Run the notifier of this node as the environment says."""
    edge = Edge.from_environment(SERVICE)
    logs.configure(edge.service, edge.node, edge.log_level)
    _raise_descriptor_limit()
    journal = await open_journal(edge)
    try:
        async with asyncio.TaskGroup() as group:
            desk = Desk(journal, edge.state / "notifier.config", group)
            group.create_task(metrics.serve(edge.metrics_port, lambda: desk.trouble))
            await desk.run()
    finally:
        await journal.close()


def _raise_descriptor_limit() -> None:
    """Allow as many sockets as the hard limit does: a sink that hangs holds eight of them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
