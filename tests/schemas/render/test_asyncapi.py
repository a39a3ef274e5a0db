import re
from collections.abc import Iterator
from typing import Any

from libra_schemas.events import MODELS
from libra_schemas.render.asyncapi import document

DOCUMENT = document()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (value["$ref"],) if isinstance(value.get("$ref"), str) else ()
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def resolve(reference: str) -> Any:
    value: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        value = value[part]
    return value


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(DOCUMENT)):
        assert resolve(reference) is not None


def test_a_channel_declares_exactly_the_parameters_of_its_address() -> None:
    for channel in DOCUMENT["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])


def test_no_two_channels_have_one_address() -> None:
    addresses = [channel["address"] for channel in DOCUMENT["channels"].values()]
    assert len(set(addresses)) == len(addresses)


def test_a_verdict_is_published_by_health_and_heard_once_logged() -> None:
    send = DOCUMENT["operations"]["health.backend.down"]
    heard = DOCUMENT["operations"]["observer.backend.down"]
    assert (send["action"], heard["action"]) == ("send", "receive")
    assert (
        resolve(send["channel"]["$ref"])["address"] == "lvs.{node}.backend.down.{service}.{backend}"
    )
    assert resolve(heard["channel"]["$ref"])["address"] == "backend.down.{node}.{service}.{backend}"


def test_every_service_publishes_its_own_life() -> None:
    started = [name for name in DOCUMENT["operations"] if name.endswith(".node.started")]
    publishers = {name.removesuffix(".node.started") for name in started} - {"observer"}
    assert publishers == {"health", "vrrp", "ipvs-writer", "notifier", "console"}


def test_an_operation_sends_a_message_of_its_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        (message,) = operation["messages"]
        assert message["$ref"].startswith(f"{operation['channel']['$ref']}/messages/")


def test_what_an_operator_acts_on_has_a_channel_each() -> None:
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    assert "lvs.{node}.operator.drain.backend.{service}.{backend}" in addresses
    assert "lvs.{node}.operator.drain.node.{peer}" in addresses


def test_every_event_is_a_message_with_a_payload() -> None:
    assert set(DOCUMENT["components"]["messages"]) == set(MODELS)
    payload = DOCUMENT["components"]["messages"]["vrrp.master"]["payload"]
    assert resolve(payload["$ref"])["properties"]["type"] == {"const": "vrrp.master"}


def test_nothing_stands_beside_a_reference() -> None:
    assert all(
        list(schema) == ["$ref"]
        for each in DOCUMENT["components"]["schemas"].values()
        for schema in each.get("properties", {}).values()
        if "$ref" in schema
    )
