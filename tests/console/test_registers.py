"""Registers: the newest event of each entity."""

from datetime import UTC, datetime
from itertools import permutations

from libra_console.registers import Entry, data, fold, of_kind
from libra_schemas.envelope import NEW_CHAIN, Event, Unrecognised
from libra_schemas.events import EventData, PeerState, Started
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
    return Entry(Subject("a", kind, key), event, sequence, NOW)


def lost(sequence: int) -> Entry:
    return entry(sequence, "peer.lost", ("b",), PeerState(node="b", reachable=False))


def back(sequence: int) -> Entry:
    return entry(sequence, "peer.back", ("b",), PeerState(node="b", reachable=True))


def test_the_highest_sequence_wins_in_whatever_order_events_arrive() -> None:
    for order in permutations([lost(1), back(2), lost(3)]):
        state = data(fold({}, order), PeerState, "peer", "b")
        assert state is not None
        assert not state.reachable


def test_an_unknown_event_changes_nothing() -> None:
    known = back(2)
    stranger = Unrecognised(**known.event.model_dump(exclude={"data"}), data={"x": 1})
    held = fold({}, [known])
    assert fold(held, [Entry(known.subject, stranger, 3, NOW)]) == held


def test_folding_leaves_the_earlier_registers_as_they_were() -> None:
    before = fold({}, [lost(1)])
    fold(before, [back(2)])
    assert before[("peer", "b")].sequence == 1


def test_data_of_another_kind_or_of_nothing_is_none() -> None:
    held = fold({}, [lost(1)])
    assert data(held, Started, "peer", "b") is None
    assert data(held, PeerState, "peer", "c") is None


def test_registers_of_one_kind_are_listed_by_key() -> None:
    c = entry(4, "peer.lost", ("c",), PeerState(node="c", reachable=False))
    held = fold({}, [c, lost(1)])
    assert [key for key, _ in of_kind(held, "peer")] == [("b",), ("c",)]
