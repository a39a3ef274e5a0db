from typing import Any

import pytest
from pydantic import ValidationError

from libra_health.checks import ExecSpec, FileSpec, IcmpSpec, Spec, TcpSpec
from libra_health.checks.tcp import Exchange
from libra_health.probes import Probe
from libra_health.verdict.blast import Guard
from libra_health.verdict.damping import Damping
from libra_health.verdict.policy import PLAIN, Policy
from libra_health.verdict.vantage import Vantage
from libra_health.verdict.watch import Lookout, Watch
from libra_health.watches import watches_of
from libra_health.wire import Origin, Target
from libra_schemas.config import Config
from libra_schemas.marks import marks_of
from libra_schemas.target import target_of


def configured(**service: Any) -> Config:
    web = {"address": "192.0.2.10:80", "backends": {"w1": "10.0.1.11:8080"}} | service
    nodes = {"a": {"address": "10.0.0.2"}}
    return Config.model_validate({"version": 1, "nodes": nodes, "services": {"web": web}})


def only(**service: Any) -> Watch:
    (watch,) = watches_of(configured(**service), "a")
    return watch


def spec_of(check: Any, **service: Any) -> Spec:
    (lookout,) = only(check=check, **service).lookouts
    return lookout.probe.spec


def test_evidence_names_the_preset() -> None:
    (lookout,) = only(check={"tcp": {"preset": "redis"}}).lookouts
    assert lookout.label == "tcp 10.0.1.11:8080 redis"


def test_a_backend_is_watched_by_its_services_check() -> None:
    check = {"tcp": {"send": "HI", "expect": "^OK"}, "every": "2s", "timeout": "1s", "rise": 4}
    config = configured(check=check)
    service = config.services["web"]
    probe = Probe(Target("10.0.1.11", 8080), TcpSpec((Exchange(b"HI", "^OK"),)), 2.0, 1.0)
    assert watches_of(config, "a") == (
        Watch(
            ("web", "w1"),
            "10.0.1.11",
            8080,
            "tcp",
            target_of(service, service.backends["w1"]),
            (Lookout(probe, 4, 3, "tcp 10.0.1.11:8080"),),
        ),
    )


def test_a_ping_has_no_port_so_that_services_share_it() -> None:
    (lookout,) = only(check={"icmp": {"size": 9}}).lookouts
    assert (lookout.probe.target, lookout.probe.spec) == (Target("10.0.1.11"), IcmpSpec(9))
    assert lookout.label == "icmp 10.0.1.11"


def test_a_program_is_told_of_a_port_where_there_is_one() -> None:
    check = {"exec": {"command": ["/bin/look", "-q"]}}
    (lookout,) = only(check=check).lookouts
    assert lookout.probe.target == Target("10.0.1.11", 8080)
    assert lookout.label == "exec 10.0.1.11:8080 /bin/look"
    marked = {"fwmark": 7, "address": None, "backends": {"w1": "10.0.1.11"}}
    (lookout,) = only(check=check, **marked).lookouts
    assert isinstance(lookout.probe.spec, ExecSpec)
    assert lookout.probe.target == Target("10.0.1.11")


def test_a_file_is_told_by_its_path() -> None:
    (lookout,) = only(check={"file": {"path": "/run/w1"}}).lookouts
    assert lookout.probe.spec == FileSpec("/run/w1")
    assert lookout.label == "file 10.0.1.11 /run/w1"


def test_another_place_may_be_probed() -> None:
    (lookout,) = only(check={"tcp": {}, "address": "10.9.9.9", "port": 99}).lookouts
    assert lookout.probe.target == Target("10.9.9.9", 99)


def test_a_backend_without_a_port_is_probed_on_its_services() -> None:
    watch = only(persistence=60, backends={"w1": "10.0.1.11"})
    assert watch.lookouts[0].probe.target == Target("10.0.1.11", 80)
    assert watch.port == 0


def test_a_marked_service_needs_a_port_to_check() -> None:
    marked = {"address": None, "fwmark": 7, "backends": {"w1": "10.0.1.11"}}
    assert only(**marked).protocol == "fwmark"
    with pytest.raises(ValueError, match=r"services\.web\.backends\.w1\.check: no port"):
        watches_of(configured(**marked, check="tcp"), "a")


@pytest.mark.parametrize(
    "check",
    [
        pytest.param({"tcp": {"expect": "\\u00e9"}}, id="no pattern for bytes"),
        pytest.param({"http": {"regex": "(?u)x"}}, id="no flag for bytes"),
        pytest.param({"http": {"host": "two words"}}, id="no host"),
    ],
)
def test_what_cannot_be_asked_is_no_config_in_the_first_place(check: Any) -> None:
    with pytest.raises(ValidationError, match=r"services\.web\.check"):
        configured(check=check)


def test_several_checks_are_watched_together() -> None:
    pages = {"https": {"requests": [{"path": "/x"}, {"path": "/y"}]}}
    checks = ["tcp", {"http": {"path": "/x"}}, pages, "tls"]
    assert [each.label for each in only(check=checks).lookouts] == [
        "tcp 10.0.1.11:8080",
        "http 10.0.1.11:8080/x",
        "https 10.0.1.11:8080/x,/y",
        "tls 10.0.1.11:8080",
    ]


def test_a_name_server_is_labelled_with_what_it_is_asked() -> None:
    (lookout,) = only(check={"dns": {"name": "example.net", "type": "MX"}}).lookouts
    assert lookout.label == "dns 10.0.1.11:8080 example.net MX"


@pytest.mark.parametrize(("grpc", "label"), [({}, ""), ({"service": "a.B"}, " a.B")])
def test_a_grpc_server_is_labelled_with_the_service_asked_about(grpc: Any, label: str) -> None:
    (lookout,) = only(check={"grpc": grpc}).lookouts
    assert lookout.label == f"grpc 10.0.1.11:8080{label}"


def test_a_probe_leaves_from_where_its_node_was_told_to() -> None:
    check = {"tcp": {}, "bind": {"a": "10.0.0.2"}, "interface": {"b": "eth1"}, "fwmark": 7}
    (watch,) = watches_of(configured(check=check), "a")
    assert watch.lookouts[0].probe.target.origin == Origin("10.0.0.2", "", 7)
    (watch,) = watches_of(configured(check=check), "b")
    assert watch.lookouts[0].probe.target.origin == Origin("", "eth1", 7)


def test_what_a_service_asks_of_its_verdicts_goes_along() -> None:
    weighty = {"address": "10.0.1.11:80", "weight": 100}
    asked = only(
        check=["tcp", "icmp"],
        require="any",
        slow_start="30s",
        damping={"changes": 3},
        max_down={"most": 0, "within": "1m"},
        assume_up=True,
        backends={"w1": weighty},
    )
    assert asked.policy == Policy(
        any_passes=True,
        weight=100,
        slow_start=30.0,
        damping=Damping(3, 60.0, 60.0),
        guard=Guard(0, 60.0),
        assume_up=True,
    )
    assert only().policy == PLAIN


@pytest.mark.parametrize(
    ("vantage", "policy"),
    [
        ("local", PLAIN),
        ("majority", Policy(vantage=Vantage("a", ("b", "c")))),
        ({"mode": "any", "unreachable": "up"},
         Policy(vantage=Vantage("a", ("b", "c"), any_up=True, missing=True))),
        ({"unreachable": "down"}, Policy(vantage=Vantage("a", ("b", "c"), missing=False))),
    ],
)  # fmt: skip
def test_the_votes_of_all_other_nodes_count_where_the_service_says_so(
    vantage: Any, policy: Policy
) -> None:
    config = configured(vantage=vantage)
    nodes = dict.fromkeys("abc", config.nodes["a"])
    (watch,) = watches_of(config.model_copy(update={"nodes": nodes}), "a")
    assert watch.policy == policy
    assert watch.digest == only().digest


THROUGH = {"http": {"path": "/x"}, "data_path": True}


def test_a_probe_through_ipvs_asks_the_service_with_the_backends_mark() -> None:
    config = configured(forward="dr", check=THROUGH, backends={"w1": "10.0.1.11:80"})
    (lookout,) = watches_of(config, "a")[0].lookouts
    mark = marks_of(config)["web", "w1"]
    assert lookout.probe.target == Target("192.0.2.10", 80, Origin("10.0.0.2", "", mark))
    assert lookout.label == "http 192.0.2.10:80/x through dr to 10.0.1.11"
    assert "host='192.0.2.10', path='/x'" in repr(lookout.probe.spec)


def test_it_leaves_from_the_address_that_it_is_bound_to() -> None:
    bound = THROUGH | {"bind": {"a": "10.0.0.9"}}
    tunnel = {"w1": {"address": "10.0.1.11:80", "forward": "tun"}}
    (lookout,) = only(check=bound, backends=tunnel).lookouts
    assert lookout.probe.target.origin.address == "10.0.0.9"
    assert lookout.label.endswith(" through tun to 10.0.1.11")


def test_a_service_on_every_port_is_asked_on_the_checks() -> None:
    every = {"address": "192.0.2.10", "persistence": 60, "forward": "dr"}
    (lookout,) = only(**every, check=THROUGH | {"port": 8080}).lookouts
    assert lookout.probe.target.port == 8080


@pytest.mark.parametrize(
    ("service", "why"),
    [
        pytest.param({"address": None, "fwmark": 7}, "a service that has an address", id="mark"),
        pytest.param(
            {"address": "192.0.2.10", "persistence": 60}, "a port to check", id="every port"
        ),
        pytest.param({"check": {"icmp": {}, "data_path": True}}, "a port to check", id="icmp"),
    ],
)
def test_a_probe_through_ipvs_that_has_nowhere_to_go_is_refused(
    service: dict[str, Any], why: str
) -> None:
    config = configured(**{"check": THROUGH, "forward": "dr"} | service)
    with pytest.raises(ValueError, match=f"data_path takes {why}"):
        watches_of(config, "a")


def test_a_node_that_the_config_does_not_know_has_nowhere_to_ask_from() -> None:
    with pytest.raises(ValueError, match="data_path takes an address of node z"):
        watches_of(configured(check=THROUGH, forward="dr"), "z")
