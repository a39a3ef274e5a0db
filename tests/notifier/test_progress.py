"""How far a sink is."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from libra_notifier.progress import (
    Job,
    Progress,
    Receipts,
    admitted,
    deadline,
    finished,
    hastened,
    passed,
    postponed,
    reader,
    ready,
    receipted,
    started,
)
from libra_schemas.events import Receipt


def progress(*entities: str) -> Progress:
    """Admit one event per entity, from sequence 11 on."""
    found = Progress(10)
    for sequence, entity in enumerate(entities, start=11):
        found = admitted(found, sequence, entity)
    return found


def sequences(jobs: tuple[Job, ...]) -> list[int]:
    return [job.sequence for job in jobs]


def test_the_mark_follows_what_is_seen_while_nothing_is_open() -> None:
    assert reader(passed(Progress(10), 25)) == 25


def test_the_mark_stays_below_the_oldest_open_event() -> None:
    state = passed(progress("w1", "w2"), 30)
    assert reader(state) == 10
    assert reader(finished(state, 12)) == 10
    assert reader(finished(state, 11)) == 11
    assert reader(finished(finished(state, 12), 11)) == 30


def test_an_event_already_considered_changes_nothing() -> None:
    state = progress("w1")
    assert admitted(state, 11, "w1") == state
    assert passed(state, 5) == state


def test_entities_go_together_and_the_events_of_one_after_each_other() -> None:
    state = progress("w1", "w2", "w1")
    assert sequences(ready(state, 0.0, 8)) == [11, 12]
    state = started(started(state, 11), 12)
    assert ready(state, 0.0, 8) == ()
    assert sequences(ready(finished(state, 11), 0.0, 8)) == [13]


def test_an_event_that_waits_for_its_next_attempt_holds_back_its_entity_alone() -> None:
    state = postponed(started(progress("w1", "w1", "w2"), 11), 11, due=50.0)
    assert sequences(ready(state, 49.0, 8)) == [13]
    assert sequences(ready(state, 50.0, 8)) == [13, 11]
    assert deadline(started(state, 13), 8) == 50.0


def test_no_more_run_at_once_than_allowed() -> None:
    state = progress("w1", "w2", "w3")
    assert sequences(ready(state, 0.0, 2)) == [11, 12]
    state = started(started(state, 11), 12)
    assert ready(state, 0.0, 2) == ()
    assert deadline(state, 2) is None, "only an end makes room, no moment does"


def test_attempts_are_counted_and_reached_recipients_remembered() -> None:
    state = postponed(started(progress("w1"), 11), 11, due=1.0, served=frozenset({"x"}))
    state = postponed(started(state, 11), 11, due=2.0, served=frozenset({"y"}))
    assert state.jobs == (Job(11, "w1", attempts=2, due=2.0, served=frozenset({"x", "y"})),)


def test_a_reconfigured_sink_tries_at_once() -> None:
    state = postponed(started(progress("w1"), 11), 11, due=300.0)
    assert sequences(ready(hastened(state, 5.0), 5.0, 8)) == [11]


def test_nothing_waits_without_work() -> None:
    assert deadline(Progress(3), 8) is None
    assert ready(Progress(3), 0.0, 8) == ()


def receipt(reader: int, *events: str) -> Receipt:
    return Receipt(
        sink="ops",
        kind="webhook",
        delivered=True,
        events=events,
        key="k",
        attempts=1,
        reader=reader,
    )


def test_receipts_name_what_is_done_above_the_mark() -> None:
    found = receipted(receipted(Receipts(), receipt(10, "e12")), receipt(11, "e11"))
    assert found == Receipts(11, frozenset({"e11", "e12"}))


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=30), st.randoms())
def test_mark_and_receipts_of_any_moment_lose_nothing_and_repeat_nothing(
    events: list[tuple[int, bool]],
    dice: Random,
) -> None:
    """Tell events in any allowed order, stop anywhere: the rest is exactly what is not done."""
    state, done, known = Progress(0), set[int](), Receipts()
    for sequence, (entity, is_told) in enumerate(events, start=1):
        told = admitted(state, sequence, str(entity)) if is_told else passed(state, sequence)
        state = told
        startable = ready(state, 0.0, 8)
        if startable and sequence % 2:
            job = dice.choice(startable)
            state = finished(started(state, job.sequence), job.sequence)
            done.add(job.sequence)
            known = receipted(known, receipt(reader(state), str(job.sequence)))
    wanted = {n for n, (_, is_told) in enumerate(events, start=1) if is_told}
    resumed = {n for n in wanted if n > known.reader and str(n) not in known.done}
    assert resumed == wanted - done
