"""Which other nodes an instance ties this one to."""

from ipaddress import IPv4Address
from typing import Any

from libra_schemas.config import Config
from libra_vrrp.tether.ends import Ends
from libra_vrrp.tied import ends
from libra_vrrp.wanted import instances

A, B = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
NODES = {"a": str(A), "b": str(B), "c": "10.0.0.3", "six": "fd00::4"}
SIXES = {"six": "fd00::4", "seven": "fd00::5", "near": "fe80::6"}


def config(priority: Any, **more: Any) -> Config:
    front = {"interface": "eth0", "vrid": 51, "priority": priority, "addresses": ["192.0.2.10/24"]}
    nodes = {name: {"address": address} for name, address in NODES.items()}
    return Config.model_validate(
        {"version": 1, "nodes": nodes, "instances": {"front": front}, **more}
    )


def test_a_node_is_tied_to_the_others_that_take_part() -> None:
    two = config({"a": 150, "b": 100})
    assert ends(two, two.instances["front"], "a") == Ends(A, 9645, (("b", B),))
    assert ends(two, two.instances["front"], "b") == Ends(B, 9645, (("a", A),))
    assert [one.tether for one in instances(two, "a")] == [Ends(A, 9645, (("b", B),))]


def test_a_node_is_tied_to_no_node_of_another_family_nor_to_one_that_takes_no_part() -> None:
    some = config({"a": 150, "six": 100})
    assert ends(some, some.instances["front"], "a") is None


def test_the_config_names_another_port_or_none() -> None:
    other = config(100, tether={"port": 9700})
    found = ends(other, other.instances["front"], "a")
    assert found is not None
    assert (found.port, [name for name, _ in found.peers]) == (9700, ["b", "c"])
    without = config(100, tether={"enabled": False})
    assert ends(without, without.instances["front"], "a") is None


def test_a_node_with_a_link_local_address_is_tied_to_nobody() -> None:
    sixes = config(100, nodes={name: {"address": address} for name, address in SIXES.items()})
    found = ends(sixes, sixes.instances["front"], "six")
    assert found is not None
    assert [name for name, _ in found.peers] == ["seven"]
    assert ends(sixes, sixes.instances["front"], "near") is None
