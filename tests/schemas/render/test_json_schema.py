import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from libra_schemas.envelope import NEW_CHAIN, Draft, Link, encode
from libra_schemas.events import MODELS, Stopped
from libra_schemas.render.json_schema import config_schema, event_schema, plain

EXAMPLES = Path(__file__).parents[3] / "examples"
CONFIG = Draft202012Validator(config_schema())


def stopped() -> Any:
    data = Stopped(service="vrrp", why="SIGTERM")
    draft = Draft("node.stopped", ("vrrp",), data, "1", datetime(2026, 1, 1, tzinfo=UTC))
    return json.loads(encode(draft, Link("a", "vrrp", 1, 1, NEW_CHAIN)))


@pytest.mark.parametrize("event_type", list(MODELS))
def test_every_event_has_a_valid_schema_of_its_own(event_type: str) -> None:
    schema = event_schema(event_type)
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["type"] == {"const": event_type}
    assert schema["$id"] == f"urn:libra:event:{event_type}:1"


def test_a_stored_event_is_what_its_schema_says() -> None:
    Draft202012Validator(event_schema("node.stopped")).validate(stopped())


def test_a_newer_field_does_not_offend_the_schema() -> None:
    event = stopped()
    event["data"]["new"] = 1
    assert Draft202012Validator(event_schema("node.stopped")).is_valid(event)


def test_an_event_without_its_data_offends_it() -> None:
    event = stopped()
    del event["data"]["service"]
    assert not Draft202012Validator(event_schema("node.stopped")).is_valid(event)


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: str(path.name))
def test_editors_accept_the_examples(path: Path) -> None:
    CONFIG.validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "check",
    ["tcp", {"tcp": None}, ["icmp", {"http": {"status": 200}}], {"http": {"status": [200]}}],
)
def test_editors_accept_the_short_forms(check: Any) -> None:
    services = {
        "web": {"address": "192.0.2.1:80", "check": check, "backends": {"w": "10.0.0.1:80"}}
    }
    CONFIG.validate({"version": 1, "nodes": {"a": {"address": "10.0.0.2"}}, "services": services})


def test_editors_mark_an_unknown_key() -> None:
    document = {"version": 1, "nodes": {"a": {"address": "10.0.0.2", "zone": "x"}}}
    assert not CONFIG.is_valid(document)


def test_titles_go_and_a_property_called_description_stays() -> None:
    schema = {
        "title": "X",
        "description": "one\ntwo\n\nthree",
        "properties": {"description": {"title": "Y"}},
    }
    expected = {"description": "one two\n\nthree", "properties": {"description": {}}}
    assert plain(schema) == expected
