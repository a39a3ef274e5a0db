"""Registers: the newest event of each entity."""

from datetime import UTC, datetime
from itertools import permutations

from libra_console.registers import learn, of_kind
from libra_schemas.envelope import NEW_CHAIN, Event, Unrecognised
from libra_schemas.events import EventData, PeerState
from libra_schemas.intent.fold import Entry, data
from libra_schemas.subjects import Subject

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def entry(sequence: int, kind: str, key: tuple[str, ...], what: EventData, epoch: int = 1) -> Entry:
    event = Event(
        id=f"id-{sequence}",
        source="/lvs/a/console",
        type=kind,
        subject="/".join(key),
        time=NOW,
        dataschema="x",
        epoch=epoch,
        chainseq=str(sequence),
        chainprev=NEW_CHAIN,
        data=what,
    )
    return Entry(sequence, Subject("a", kind, key), event)


def lost(sequence: int) -> Entry:
    return entry(sequence, "peer.lost", ("b",), PeerState(node="b", reachable=False))


def back(sequence: int) -> Entry:
    return entry(sequence, "peer.back", ("b",), PeerState(node="b", reachable=True))


def test_the_highest_sequence_wins_in_whatever_order_events_arrive() -> None:
    for order in permutations([lost(1), back(2), lost(3)]):
        state = data(learn({}, order), PeerState, "peer", "b")
        assert state is not None
        assert not state.reachable


def test_an_unknown_event_changes_nothing() -> None:
    known = back(2)
    stranger = Unrecognised(**known.event.model_dump(exclude={"data"}), data={"x": 1})
    held = learn({}, [known])
    assert learn(held, [Entry(3, known.subject, stranger)]) == held


def test_folding_leaves_the_earlier_registers_as_they_were() -> None:
    before = learn({}, [lost(1)])
    learn(before, [back(2)])
    assert before[("peer", "b")].sequence == 1


def test_registers_of_one_kind_are_listed_by_key() -> None:
    c = entry(4, "peer.lost", ("c",), PeerState(node="c", reachable=False))
    held = learn({}, [c, lost(1)])
    assert [key for key, _ in of_kind(held, "peer")] == [("b",), ("c",)]
