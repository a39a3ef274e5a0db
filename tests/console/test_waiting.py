"""Why something is not known."""

from datetime import UTC, datetime

import pytest

from libra_console.waiting import SILENT, silence
from libra_schemas.envelope import NEW_CHAIN, Event
from libra_schemas.events import EventData, Started, Stopped
from libra_schemas.intent.fold import Entry, State
from libra_schemas.subjects import Subject

STARTED = Started(service="health", version="1", pid=7)
STOPPED = Stopped(service="health", why="SIGTERM")


def life(*events: EventData) -> State:
    held: dict[tuple[str, ...], Entry] = {}
    for sequence, what in enumerate(events, 1):
        kind = "node.started" if isinstance(what, Started) else "node.stopped"
        subject = Subject("a", kind, ("health",))
        event = Event(
            id="x", source="/lvs/a/health", type=kind, subject="health",
            time=datetime(2026, 1, 2, tzinfo=UTC), dataschema="x", epoch=1, chainseq="1",
            chainprev=NEW_CHAIN, data=what,
        )  # fmt: skip
        held[subject.register] = Entry(sequence, subject, event)
    return held


@pytest.mark.parametrize(
    ("registers", "trouble", "why"),
    [
        pytest.param(life(), SILENT, "health has not run on this node yet", id="never started"),
        pytest.param(life(), "no IPVS", "health: no IPVS", id="waits for what it needs"),
        pytest.param(life(), None, "wait", id="healthy before the log holds it"),
        pytest.param(life(STARTED), None, "wait", id="healthy"),
        pytest.param(life(STARTED), "no route", "health: no route", id="in trouble"),
        pytest.param(life(STARTED, STOPPED), "any", "health does not run: SIGTERM", id="stopped"),
        pytest.param(life(STARTED, Stopped(service="health")), None, "health does not run", id="?"),
        pytest.param(life(STOPPED, STARTED), None, "wait", id="started again"),
    ],
)
def test_the_reason_is_the_services_own_where_it_has_one(
    registers: State, trouble: str | None, why: str
) -> None:
    assert silence(registers, {"health": trouble}, "health", "wait") == why
    assert silence(life(STARTED), {}, "health", "wait") == "wait"
