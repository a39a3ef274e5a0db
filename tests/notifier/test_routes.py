"""Which events a sink is told, and which types it reads for that."""

from typing import Any

import pytest

from libra_notifier.routes import followed, service_of, told
from libra_schemas.subjects import Subject

DOWN = Subject("a", "backend.down", ("web", "w1"))
MASTER = Subject("a", "vrrp.master", ("front",))


@pytest.mark.parametrize(
    ("pattern", "is_told"),
    [
        pytest.param("backend.down", True, id="the very type"),
        pytest.param("backend.*", True, id="all of a kind"),
        pytest.param("*.down", True, id="all that are down"),
        pytest.param("*.*", True, id="everything"),
        pytest.param("backend.up", False, id="another type"),
        pytest.param("service.*", False, id="another kind"),
    ],
)
def test_a_pattern_matches_both_words_of_a_type(make: Any, pattern: str, is_told: bool) -> None:
    assert told(make.sink(pattern), DOWN) is is_told


def test_one_matching_pattern_is_enough(make: Any) -> None:
    assert told(make.sink("vrrp.*", "backend.*"), DOWN)


@pytest.mark.parametrize("pattern", ["notify.*", "notify.failed", "*.*", "*.failed"])
def test_receipts_are_never_told(make: Any, pattern: str) -> None:
    assert not told(make.sink(pattern), Subject("a", "notify.failed", ("ops",)))


@pytest.mark.parametrize(
    ("pattern", "is_told"),
    [
        pytest.param("vrrp.*", False, id="all of VRRP"),
        pytest.param("*.*", False, id="everything"),
        pytest.param("vrrp.follows", True, id="the very type"),
        pytest.param("*.follows", True, id="its last word"),
    ],
)
def test_that_a_backup_heard_of_its_master_is_told_to_who_asks_for_it_alone(
    make: Any, pattern: str, is_told: bool
) -> None:
    """Each start of a backup was a mail to who wanted to hear of transitions."""
    assert told(make.sink(pattern), Subject("a", "vrrp.follows", ("front",))) is is_told
    assert told(make.sink("vrrp.*", pattern), MASTER)


@pytest.mark.parametrize(
    ("pattern", "is_told"),
    [("backend.*", False), ("*.*", False), ("backend.weight", True), ("*.weight", True)],
)
def test_the_steps_of_a_weight_are_told_to_who_asks_for_them_alone(
    make: Any, pattern: str, is_told: bool
) -> None:
    """A slow start has ten of them."""
    weight = Subject("a", "backend.weight", ("web", "w1"))
    assert told(make.sink(pattern), weight) is is_told


@pytest.mark.parametrize(("pattern", "is_told"), [("backend.*", False), ("backend.seen", True)])
def test_a_vote_is_told_to_who_asks_for_it_alone(make: Any, pattern: str, is_told: bool) -> None:
    vote = Subject("a", "backend.seen", ("web", "w1"))
    assert told(make.sink(pattern), vote) is is_told


def test_a_sink_that_names_nodes_is_told_of_those_alone(make: Any) -> None:
    assert told(make.sink("backend.*", nodes=("a",)), DOWN)
    assert not told(make.sink("backend.*", nodes=("b",)), DOWN)


def test_a_sink_that_names_services_is_told_of_those_alone(make: Any) -> None:
    assert told(make.sink("backend.*", services=("web",)), DOWN)
    assert not told(make.sink("backend.*", services=("mail",)), DOWN)
    assert not told(make.sink("service.*", services=("web",)), DOWN)


def test_what_concerns_no_service_is_told_to_those_who_name_its_type(make: Any) -> None:
    assert told(make.sink("backend.*", "vrrp.*", services=("web",)), MASTER)
    assert not told(make.sink("*.*", services=("web",)), MASTER)


@pytest.mark.parametrize(
    ("kind", "key", "service"),
    [
        ("backend.up", ("web", "w1"), "web"),
        ("service.down", ("web",), "web"),
        ("table.changed", ("web",), "web"),
        ("operator.drain", ("service", "web"), "web"),
        ("operator.drain", ("backend", "web", "w1"), "web"),
        ("operator.maint", ("node", "a"), None),
        ("operator.odd", ("service",), None),
        ("vrrp.master", ("front",), None),
    ],
)
def test_the_service_of_an_event_is_read_from_its_key(
    kind: str, key: tuple[str, ...], service: str | None
) -> None:
    assert service_of(Subject("a", kind, key)) == service


def test_only_the_types_of_the_route_and_configs_are_read(make: Any) -> None:
    assert followed(make.sink("backend.down", "vrrp.*")) == (
        "backend.down",
        "config.applied",
        "vrrp",
    )


def test_no_type_is_read_twice(make: Any) -> None:
    assert followed(make.sink("config.*", "backend.up", "backend.*")) == ("backend", "config")


def test_a_wildcard_in_front_reads_everything(make: Any) -> None:
    assert followed(make.sink("backend.*", "*.down")) == ()


def test_a_sink_without_a_route_reads_configs_to_find_one() -> None:
    assert followed(None) == ("config.applied",)
