from datetime import UTC, datetime
from typing import NoReturn

from hypothesis import given
from hypothesis import strategies as st

from libra_schemas.envelope import NEW_CHAIN, Event, Unrecognised
from libra_schemas.events import PeerState, Started
from libra_schemas.intent.fold import Entry, RegisterName, State, absorb, data, fold
from libra_schemas.subjects import Subject

TYPES = st.sampled_from(["backend.up", "backend.down", "vrrp.master", "vrrp.alarm", "later.born"])


def entry(sequence: int, kind: str = "backend.up", key: str = "w1") -> Entry:
    event = Unrecognised(
        id=str(sequence),
        source="/lvs/a/health",
        type=kind,
        subject=f"web/{key}",
        time=datetime(2026, 1, 1, tzinfo=UTC),
        dataschema="urn:libra:schema:x:9",
        epoch=1,
        chainseq="1",
        chainprev=NEW_CHAIN,
    )
    return Entry(sequence, Subject("a", kind, ("web", key)), event)


ENTRIES = st.lists(
    st.builds(entry, st.integers(1, 50), TYPES, st.sampled_from(["w1", "w2"])), max_size=30
)


def test_the_last_writer_by_log_sequence_wins() -> None:
    state, touched = fold({}, [entry(7, "backend.down"), entry(3, "backend.up")])
    assert state["backend", "web", "w1"].sequence == 7
    assert touched == {("backend", "web", "w1")}


def test_an_older_event_touches_nothing() -> None:
    state, _ = fold({}, [entry(7)])
    again, touched = fold(state, [entry(7), entry(6)])
    assert again is state
    assert touched == frozenset()


def test_all_types_of_a_register_write_the_same_one() -> None:
    state, _ = fold({}, [entry(1, "backend.up"), entry(2, "backend.down")])
    assert len(state) == 1


def test_an_unknown_type_has_a_register_of_its_own() -> None:
    state, _ = fold({}, [entry(1, "backend.up"), entry(2, "later.born")])
    assert set(state) == {("backend", "web", "w1"), ("later.born", "web", "w1")}


@given(ENTRIES, st.integers(0, 30))
def test_how_the_log_is_cut_into_batches_changes_nothing(entries: list[Entry], cut: int) -> None:
    entries = list({each.sequence: each for each in entries}.values())
    whole, _ = fold({}, entries)
    first: State
    first, _ = fold({}, entries[:cut])
    second, _ = fold(first, entries[cut:])
    assert second == whole


@given(st.permutations([entry(n, key=f"w{n % 3}") for n in range(1, 9)]))
def test_the_order_of_arrival_changes_nothing(entries: list[Entry]) -> None:
    state, _ = fold({}, entries)
    ordered, _ = fold({}, sorted(entries, key=lambda each: each.sequence))
    assert state == ordered


def test_the_data_of_a_register_is_given_where_it_is_of_the_kind_asked_for() -> None:
    lost = PeerState(node="b", reachable=False)
    head = entry(1).event.model_dump(exclude={"data", "type"})
    event = Event.model_construct(**head, type="peer.lost", data=lost)
    state, _ = fold({}, [Entry(1, Subject("a", "peer.lost", ("b",)), event), entry(2)])
    assert data(state, PeerState, "peer", "b") == lost
    assert data(state, Started, "peer", "b") is None
    assert data(state, PeerState, "peer", "c") is None
    assert data(state, PeerState, "backend", "web", "w1") is None


class Unwalked(dict[RegisterName, Entry]):
    """A state that nobody may walk through: what looks at all of it costs all of it."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("walked through")

    def items(self) -> NoReturn:
        raise AssertionError("walked through")


@given(ENTRIES, st.integers(0, 30))
def test_absorbing_a_batch_gives_what_folding_gives_and_looks_at_nothing_else(
    entries: list[Entry], cut: int
) -> None:
    before, _ = fold({}, entries[:cut])
    after, changed = fold(before, entries[cut:])
    own = Unwalked(before)
    assert absorb(own, entries[cut:]) == changed
    assert dict.__eq__(own, after)
