"""What is left to do for a process that no other start would mend: to say why."""

import asyncio
import socket
import sys
from typing import NoReturn

from libra_runtime.metrics import serve
from libra_runtime.run import REFUSED, run
from libra_runtime.settings import Edge
from libra_vrrp.reports import Farewell
from libra_vrrp.shell.line import Line
from libra_vrrp.shell.say import log


def stand_by(trouble: str, machine: socket.socket | None = None) -> NoReturn:
    """Log the trouble once, and have the health check tell it until a signal ends us.

    On the line to the `machine` the parent ends us: it says that nothing follows. What the machine
    says until then is not taken, and told again to the next reporter.
    """
    log("vrrp cannot work", "error", why=trouble)
    edge = Edge.from_environment("vrrp")
    sys.exit(run(lambda: _tell(edge, trouble, machine)) or REFUSED)


async def _tell(edge: Edge, trouble: str, machine: socket.socket | None) -> None:
    async with asyncio.TaskGroup() as group:
        who = f"{edge.service} of {edge.node}"
        telling = group.create_task(serve(edge.metrics_port, lambda: trouble, who))
        if machine is not None:
            await _farewell(Line(machine))
            telling.cancel()


async def _farewell(line: Line) -> None:
    async for numbered in line.reports():
        if isinstance(numbered.report, Farewell):
            return
