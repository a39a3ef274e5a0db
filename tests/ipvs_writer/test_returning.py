"""Where answers to probes through IPVS come in, and whether a strict filter would drop them."""

from ipaddress import ip_address
from typing import Any

import pytest

from libra_ipvs_writer.returning import doors, real_servers
from libra_schemas.config import Config
from libra_schemas.intent.prepared import Prepared, prepare

W1, W2 = ip_address("10.0.0.1"), ip_address("10.0.0.2")
ELSEWHERE = {"address": "192.0.2.10/24", "interface": "eth1"}


def prepared(*, is_on: bool = True, **instance: Any) -> Prepared:
    front = {"interface": "eth0", "vrid": 1, "priority": 100, "addresses": ["192.0.2.10/24"]}
    web = {
        "address": "192.0.2.10:80",
        "forward": "dr",
        "check": {"tcp": {}, "data_path": is_on},
        "backends": {"w1": "10.0.0.1:80", "w2": "10.0.0.2:80"},
    }
    six = web | {"address": "[2001:db8::10]:80", "backends": {"w1": "[2001:db8::1]:80"}}
    document = {
        "version": 1,
        "nodes": {"a": {"address": "10.0.0.100"}},
        "instances": {"front": front | instance} if instance != {"none": True} else {},
        "services": {"web": web, "six": six},
    }
    return prepare(Config.model_validate(document), "a")


def test_only_ipv4_asks_for_anything() -> None:
    assert sorted(map(str, real_servers(prepared()))) == ["10.0.0.1", "10.0.0.2"]
    assert real_servers(prepared(is_on=False)) == ()


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(prepared(), {"eth0": False, "eth1": True}, id="on-one-of-them"),
        pytest.param(prepared(vmac=True), {"eth0": True, "eth1": True}, id="on-a-virtual-mac"),
        pytest.param(
            prepared(addresses=[ELSEWHERE]), {"eth0": True, "eth1": False}, id="named-with-it"
        ),
        pytest.param(prepared(none=True), {"eth0": False, "eth1": False}, id="nobody-knows"),
        pytest.param(
            prepared(interface={"b": "eth0"}, priority={"b": 1}),
            {"eth0": False, "eth1": False},
            id="another-nodes",
        ),
    ],
)
def test_each_interface_is_told_with_whether_the_address_is_elsewhere(
    made: Prepared, expected: dict[str, bool]
) -> None:
    assert doors(made, {W1: "eth0", W2: "eth1"}) == expected


def test_a_route_that_is_not_known_says_nothing() -> None:
    assert doors(prepared(), {W1: "eth0"}) == {"eth0": False}
