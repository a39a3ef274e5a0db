from ipaddress import ip_address
from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import AddressElsewhere, InstanceConfig
from libra_schemas.config.instance import virtual_address


def instance(**fields: Any) -> InstanceConfig:
    base = {"interface": "eth0", "vrid": 51, "addresses": ["192.0.2.10/24"]}
    return InstanceConfig.model_validate(base | fields)


def test_one_value_holds_on_every_node() -> None:
    assert (instance().priority_on("a"), instance().interface_on("b")) == (100, "eth0")


def test_a_node_that_is_not_named_does_not_take_part() -> None:
    made = instance(priority={"a": 150}, interface={"a": "eth1"})
    assert (made.priority_on("a"), made.interface_on("a")) == (150, "eth1")
    assert (made.priority_on("b"), made.interface_on("b")) == (None, None)


def test_an_address_may_live_on_another_interface() -> None:
    made = instance(addresses=["192.0.2.10/24", {"address": "10.0.1.1/24", "interface": "eth1"}])
    elsewhere = AddressElsewhere(address="10.0.1.1/24", interface="eth1")
    assert made.addresses == ("192.0.2.10/24", elsewhere)


@pytest.mark.parametrize(
    ("written", "read"),
    [(True, True), (False, False), ("when-synced", "when-synced"), ("30s", 30.0), (1, 1.0)],
)
def test_preemption_is_yes_no_or_a_delay(written: Any, read: Any) -> None:
    made = instance(preempt=written).preempt
    assert made == read
    assert type(made) is type(read)


@pytest.mark.parametrize("interval", ["9ms", "256s", "40.96s", "255.5s"])
def test_an_interval_must_fit_the_packet(interval: str) -> None:
    with pytest.raises(ValidationError, match=r"between 10ms and 40\.95s"):
        instance(interval=interval)


def test_a_bare_number_is_seconds_and_told_so() -> None:
    with pytest.raises(ValidationError, match="a bare number is in seconds: write 300ms"):
        instance(interval=300)


@pytest.mark.parametrize("interval", ["10ms", "40.95s", "41s", "255s"])
def test_the_shortest_and_the_longest_interval_of_either_version_fit(interval: str) -> None:
    assert instance(interval=interval).interval > 0


@pytest.mark.parametrize(
    ("addresses", "routers"),
    [
        pytest.param(["192.0.2.10/24"], {"front": "ipv4"}, id="IPv4"),
        pytest.param(["2001:db8::10/64"], {"front": "ipv6"}, id="IPv6"),
        pytest.param(
            [{"address": "2001:db8::10/64", "interface": "eth1"}, "192.0.2.10/24"],
            {"front": "ipv4", "front-ipv6": "ipv6"},
            id="both",
        ),
    ],
)
def test_each_family_is_a_virtual_router(addresses: list[Any], routers: dict[str, str]) -> None:
    assert instance(addresses=addresses).routers("front") == routers


def test_an_excluded_address_makes_no_router() -> None:
    assert instance(excluded=["2001:db8::10/64"]).routers("front") == {"front": "ipv4"}


def test_a_virtual_address_is_given_without_its_prefix() -> None:
    elsewhere = AddressElsewhere(address="10.0.1.1/24", interface="eth1")
    assert str(virtual_address(elsewhere)) == "10.0.1.1"


def test_a_seal_is_required_unless_it_says_otherwise() -> None:
    made = instance(seal={"key_file": "/etc/libra/seal.key"}).seal
    assert made is not None
    assert made.mode == "required"
    accepting = instance(seal={"key_file": "/etc/libra/seal.key", "mode": "accept"}).seal
    assert accepting is not None
    assert accepting.mode == "accept"


@pytest.mark.parametrize(
    ("seal", "complaint"),
    [
        pytest.param({}, "key_file", id="without a key"),
        pytest.param({"key_file": "seal.key"}, "must be an absolute path", id="a relative path"),
        pytest.param(None, "is empty; name its key", id="nothing said of it"),
        pytest.param({"key_file": "/k", "mode": "off"}, "mode", id="another mode"),
    ],
)
def test_a_seal_that_cannot_work_is_refused(seal: dict[str, str] | None, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        instance(seal=seal)


@pytest.mark.parametrize(
    ("written", "known_as"),
    [
        pytest.param(False, None, id="multicast"),
        pytest.param(True, "10.0.0.2", id="by its own address"),
        pytest.param({"a": "192.0.2.1"}, "192.0.2.1", id="by the one written here"),
        pytest.param({"a": ["2001:db8::1", "192.0.2.1"]}, "192.0.2.1", id="by that of the family"),
        pytest.param({"a": "2001:db8::1"}, None, id="written for the other family"),
        pytest.param({"b": "192.0.2.2"}, None, id="not written"),
    ],
)
def test_a_node_of_a_unicast_instance_is_known_by_an_address(
    written: Any, known_as: str | None
) -> None:
    found = instance(unicast=written).unicast_on("a", ip_address("10.0.0.2"), 4)
    assert found == (None if known_as is None else ip_address(known_as))


def test_unicast_is_yes_no_or_addresses() -> None:
    for written in ("yes", 1, ["192.0.2.1"], {"a": "nowhere"}):
        with pytest.raises(ValidationError):
            instance(unicast=written)
