"""Reports become events, and every state tells of the last takeover."""

import asyncio
from dataclasses import replace

from structlog.testing import capture_logs

from libra_runtime.memory import MemoryJournal
from libra_runtime.memory_log import MemoryLog
from libra_schemas.events import InstanceState
from libra_vrrp.reports import AlarmRaised, Statistics, Transition
from libra_vrrp.shell.intake import Intake
from libra_vrrp.shell.publishing import Publishing
from libra_vrrp.why import Why

NEVER = Transition(
    "front", "backup", None, Why.HIGHER_PRIORITY.value, "", 51, "eth0", 150, 1.0, (), None, 0, 990.0
)
TAKEN = (1000.0, 0.25, Why.TIMER.value)
MASTER = replace(NEVER, state="master", why=Why.TIMER.value, took=0.25, at=1000.0, taken=TAKEN)
BACKUP = replace(NEVER, at=1060.0, taken=TAKEN)


async def test_what_is_decided_is_logged_with_its_sentence_and_what_is_bad_as_a_warning() -> None:
    journal = MemoryJournal("a", "vrrp", MemoryLog("a"))
    publishing = Publishing(journal, Intake("a", journal, asyncio.Event()))
    fault = replace(NEVER, state="fault", why=Why.FAULT.value, detail="eth0 is down")
    with capture_logs() as lines:
        publishing.publish(MASTER)
        publishing.publish(fault)
    await journal.close()
    assert [(one["log_level"], one["type"], one["said"]) for one in lines] == [
        (
            "info",
            "vrrp.master",
            "virtual router front on eth0 is master (took 250.0 ms): no master is heard",
        ),
        (
            "warning",
            "vrrp.fault",
            "virtual router front on eth0 is fault: it cannot work here: eth0 is down",
        ),
    ]


async def test_a_state_tells_when_its_router_took_over_last_and_how_fast() -> None:
    journal = MemoryJournal("a", "vrrp", MemoryLog("a"))
    publishing = Publishing(journal, Intake("a", journal, asyncio.Event()))
    publishing.publish(NEVER)
    publishing.publish(MASTER)
    publishing.publish(replace(MASTER, repeated=True, at=1030.0))
    publishing.publish(Statistics({}, 0.0, 1031.0))
    publishing.publish(BACKUP)
    publishing.publish(NEVER)  # of a machine that was started since
    publishing.publish(replace(NEVER, instance="back"))
    publishing.publish(replace(BACKUP, why="of tomorrow"))
    told = [each.event.data for each in journal.published]
    takeovers = [
        (one.state, None if one.takeover is None else one.takeover.took_ms)
        for one in told
        if isinstance(one, InstanceState)
    ]
    await journal.close()
    assert takeovers == [
        ("backup", None),
        ("master", 250.0),
        ("backup", 250.0),
        ("backup", 250.0),
        ("backup", None),
    ]


async def test_what_is_told_in_the_log_stands_out_where_it_is_trouble() -> None:
    journal = MemoryJournal("a", "vrrp", MemoryLog("a"))
    publishing = Publishing(journal, Intake("a", journal, asyncio.Event()))
    with capture_logs() as lines:
        publishing.publish(BACKUP)
        publishing.publish(replace(BACKUP, state="fault", why=Why.FAULT.value, detail="no carrier"))
        publishing.publish(AlarmRaised("front", "two-masters", "192.0.2.2", "", 1, 1061.0))
    await journal.close()
    assert [(one["event"], one["type"], one["log_level"]) for one in lines] == [
        ("decided", "vrrp.backup", "info"),
        ("decided", "vrrp.fault", "warning"),
        ("decided", "vrrp.alarm", "error"),
    ]
