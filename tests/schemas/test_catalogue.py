import re
from pathlib import Path

import pytest

from libra_schemas.catalogue import (
    CATALOGUE,
    EVERY,
    PUBLISHER_OF,
    SERVICES,
    SILENT,
    may_publish,
)
from libra_schemas.events import MODELS
from libra_schemas.nats import PUBLISHES
from libra_schemas.subjects import REGISTER_OF


def test_every_event_type_stands_in_every_table() -> None:
    assert list(CATALOGUE) == list(MODELS) == list(REGISTER_OF)


def test_the_permissions_let_each_publisher_say_what_the_catalogue_gives_it() -> None:
    permitted = {noun: service for service, nouns in PUBLISHES.items() for noun in nouns}
    said = {kind.split(".")[0]: who for kind, who in PUBLISHER_OF.items() if who != EVERY}
    assert said == permitted
    assert set(SERVICES) == set(PUBLISHES)


@pytest.mark.parametrize(
    ("event_type", "key"),
    [
        ("backend.down", ("web", "w1")),
        ("conn.sync", ("all",)),
        ("conn.sync", ("front",)),
        ("operator.drain", ("backend", "web", "w1")),
        ("operator.failover", ("node", "a")),
        ("config.applied", ("cluster",)),
    ],
)
def test_a_key_of_its_types_form_is_taken(event_type: str, key: tuple[str, ...]) -> None:
    assert CATALOGUE[event_type].takes(key)


@pytest.mark.parametrize(
    ("event_type", "key"),
    [
        ("backend.down", ("web",)),
        ("config.applied", ("a",)),
        ("operator.drain", ("sink", "ops")),
        ("operator.failover", ("service", "web")),
    ],
)
def test_a_key_of_another_form_is_not(event_type: str, key: tuple[str, ...]) -> None:
    assert not CATALOGUE[event_type].takes(key)


def test_a_service_speaks_of_its_own_life_only() -> None:
    assert may_publish("health", "node.started", ("health",))
    assert not may_publish("health", "node.started", ("vrrp",))


def test_only_health_says_what_health_says() -> None:
    assert may_publish("health", "backend.up", ("web", "w1"))
    assert not may_publish("console", "backend.up", ("web", "w1"))


def test_a_key_is_shown_as_documents_spell_it() -> None:
    assert CATALOGUE["conn.sync"].shown == "all or <instance>"


def test_what_nobody_publishes_yet_is_defined_all_the_same() -> None:
    assert set(SILENT) < set(CATALOGUE)


def test_the_readme_names_what_nobody_publishes_yet() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    told = readme.partition("Not published in this release")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z.]+)`", told)) == set(SILENT)
