"""Which services a batch touches, and which of its events are causes."""

from datetime import UTC, datetime, timedelta

from libra_ipvs_writer.touch import Cause, by_service, causes_of, listed
from libra_schemas.envelope import NEW_CHAIN, Unrecognised
from libra_schemas.intent.fold import Entry
from libra_schemas.subjects import Subject

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = frozenset({"web", "dns"})


def entry(sequence: int, kind: str, *key: str) -> Entry:
    event = Unrecognised(
        id=f"e{sequence}",
        source="/lvs/a/health",
        type=kind,
        subject="/".join(key),
        time=NOW + timedelta(seconds=sequence),
        dataschema="",
        epoch=1,
        chainseq="1",
        chainprev=NEW_CHAIN,
    )
    return Entry(sequence, Subject("a", kind, key), event)


def test_a_verdict_touches_its_service_alone() -> None:
    register = ("backend", "web", "w1")
    assert by_service([register], NAMES) == {"web": [register]}


def test_operators_touch_a_backends_service_a_service_or_everything() -> None:
    assert set(by_service([("admin", "backend", "web", "w1")], NAMES)) == {"web"}
    assert set(by_service([("admin", "service", "dns")], NAMES)) == {"dns"}
    assert set(by_service([("admin", "node", "a")], NAMES)) == NAMES


def test_a_config_touches_everything() -> None:
    config, verdict = ("config", "cluster"), ("backend", "web", "w1")
    touched = by_service([verdict, config], NAMES)
    assert touched == {"web": [verdict, config], "dns": [config]}


def test_what_is_unknown_or_speaks_of_strangers_touches_nothing() -> None:
    registers = [("backend", "other", "w1"), ("instance", "front"), ("admin", "instance", "f")]
    assert by_service(registers, NAMES) == {}


def test_causes_are_told_oldest_first_and_name_their_backend() -> None:
    config, verdict = entry(2, "config.applied", "cluster"), entry(1, "backend.down", "web", "w1")
    state = {each.subject.register: each for each in (config, verdict)}
    assert causes_of(state, [("config", "cluster"), ("backend", "web", "w1"), ("x", "y")]) == (
        Cause("e1", NOW + timedelta(seconds=1), "backend.down web/w1", "w1"),
        Cause("e2", NOW + timedelta(seconds=2), "config.applied cluster", None),
    )


def test_an_operators_act_on_a_backend_names_it_and_one_on_a_service_does_not() -> None:
    drain, maint = (
        entry(1, "operator.drain", "backend", "web", "w1"),
        entry(2, "operator.maint", "service", "web"),
    )
    state = {each.subject.register: each for each in (drain, maint)}
    assert [each.backend for each in causes_of(state, list(state))] == ["w1", None]


def test_at_most_a_hundred_causes_are_listed_and_all_are_counted() -> None:
    causes = [Cause(str(number), NOW, "") for number in range(129)]
    listing = listed(causes)
    assert (len(listing.ids), listing.count) == (100, 129)
