"""Reports become events, and every state tells of the last takeover."""

import asyncio
from dataclasses import replace

from libra_runtime.memory import MemoryJournal
from libra_runtime.memory_log import MemoryLog
from libra_schemas.events import InstanceState
from libra_vrrp.reports import Statistics, Transition
from libra_vrrp.shell.intake import Intake
from libra_vrrp.shell.publishing import Publishing
from libra_vrrp.why import Why

MASTER = Transition(
    "front", "master", "backup", Why.TIMER.value, "", 51, "eth0", 150, 1.0, (), None, 0.25, 1000.0
)
BACKUP = replace(MASTER, state="backup", why=Why.HIGHER_PRIORITY.value, took=0.0, at=1060.0)


async def test_a_state_tells_when_its_router_took_over_last_and_how_fast() -> None:
    journal = MemoryJournal("a", "vrrp", MemoryLog("a"))
    publishing = Publishing(journal, Intake("a", journal, asyncio.Event()))
    publishing.publish(BACKUP)
    publishing.publish(MASTER)
    publishing.publish(replace(MASTER, repeated=True, at=1030.0))
    publishing.publish(Statistics({}, 0.0, 1031.0))
    publishing.publish(BACKUP)
    publishing.publish(replace(BACKUP, instance="back"))
    publishing.publish(replace(BACKUP, why="of tomorrow"))
    told = [each.event.data for each in journal.published]
    takeovers = [
        (one.state, None if one.takeover is None else one.takeover.took_ms)
        for one in told
        if isinstance(one, InstanceState)
    ]
    await journal.close()
    assert takeovers == [("backup", None), ("master", 250.0), ("backup", 250.0), ("backup", None)]
