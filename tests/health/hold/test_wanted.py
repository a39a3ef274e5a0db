"""Which holds a config asks for."""

from typing import Any

import pytest

from libra_health.hold.wanted import Wanted, wanted_of
from libra_health.hold.words import Hold
from libra_health.watches import watches_of
from libra_health.wire import Origin, Target
from libra_schemas.config import Config

FAST = {"tcp": None, "every": "250ms"}


def wanted(**services: Any) -> tuple[Wanted, ...]:
    nodes = {"a": {"address": "10.0.0.2"}}
    config = Config.model_validate({"version": 1, "nodes": nodes, "services": services})
    return wanted_of(config, "a", watches_of(config, "a"))


def web(**more: Any) -> dict[str, Any]:
    return {"address": "192.0.2.10:80", "backends": {"w1": "10.0.1.11:8080"}} | more


def test_nothing_is_held_unasked() -> None:
    assert wanted(web=web()) == wanted(web=web(hold=False)) == ()


def test_a_backend_is_held_on_its_own_port() -> None:
    (found,) = wanted(web=web(hold=True, check=FAST))
    assert found.hold == Hold(Target("10.0.1.11", 8080), 0.25)
    assert [str(probe.target) for probe in found.probes] == ["10.0.1.11:8080"]
    assert found.condemns == ((("web", "w1"), 0),)


@pytest.mark.parametrize(
    ("service", "own", "is_held"),
    [
        pytest.param(True, None, True, id="as its service says"),
        pytest.param(True, False, False, id="not this one"),
        pytest.param(None, True, True, id="this one"),
        pytest.param(False, {"port": 9}, True, id="this one, elsewhere"),
    ],
)
def test_a_backend_may_say_otherwise(service: Any, own: Any, is_held: bool) -> None:
    backend = {"address": "10.0.1.11:80", "hold": own}
    assert bool(wanted(web=web(hold=service, backends={"w1": backend}))) is is_held


def test_one_connection_serves_all_services_of_a_target_at_the_pace_of_the_fastest() -> None:
    slow, fast = web(hold=True), web(address="192.0.2.11:80", hold=True, check=FAST)
    (found,) = wanted(slow=slow, fast=fast)
    assert found.hold.every == 0.25
    assert len(found.probes) == 2
    assert found.condemns == ((("slow", "w1"), 0), (("fast", "w1"), 0))


def test_it_condemns_what_connects_to_the_same_port_and_hurries_all() -> None:
    checks = ["icmp", {"tcp": None, "port": 9}, "http"]
    (found,) = wanted(web=web(hold=True, check=checks))
    assert [probe.kind for probe in found.probes] == ["icmp", "tcp", "http"]
    assert found.condemns == ((("web", "w1"), 2),)


def test_a_check_that_first_reads_a_secret_is_condemned_too() -> None:
    secret = {"http": {"headers_files": {"Authorization": "/etc/libra/secrets/token"}}}
    (found,) = wanted(web=web(hold=True, check=secret))
    assert found.condemns == ((("web", "w1"), 0),)


def test_a_check_by_udp_is_not_condemned_by_its_port() -> None:
    udp = {"udp": {"send": "hello", "expect": "hello"}, "port": 8080}
    (found,) = wanted(web=web(hold=True, check=[udp, "tcp"]))
    assert found.condemns == ((("web", "w1"), 1),)


def test_another_port_may_be_held() -> None:
    dns = {"address": "192.0.2.10:53", "protocol": "udp", "check": "icmp"}
    (found,) = wanted(dns=dns | {"hold": {"port": 5353}, "backends": {"d1": "10.0.1.11:53"}})
    assert found.hold.target == Target("10.0.1.11", 5353)
    assert found.condemns == ()


def test_a_hold_leaves_from_where_the_first_check_does() -> None:
    check = [{"tcp": None, "bind": {"a": "10.0.0.3"}, "fwmark": 7}, "icmp"]
    (found,) = wanted(web=web(hold=True, check=check))
    assert found.hold.target == Target("10.0.1.11", 8080, Origin("10.0.0.3", "", 7))
    assert found.condemns == ((("web", "w1"), 0),)


def test_a_backend_without_a_port_is_held_on_its_services() -> None:
    pool = {"w1": "10.0.1.11"}
    (found,) = wanted(web=web(hold=True, persistence=60, backends=pool))
    assert found.hold.target.port == 80


def test_what_no_rule_lets_through_is_not_held() -> None:
    marked = {"fwmark": 7, "hold": True, "backends": {"w1": "10.0.1.11"}}
    assert wanted(web=marked | {"check": "icmp"}) == ()
    assert wanted(web=web(hold=True, assume_up=True)) == ()
