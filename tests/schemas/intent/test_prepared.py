"""The config in the kernel's terms."""

from typing import Any

import pytest

from libra_schemas.config import Config
from libra_schemas.intent.prepared import Pool, Prepared, prepare
from libra_schemas.marks import marks_of
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable, Tunnel
from libra_schemas.target import target_of


def pool(**service: Any) -> Pool:
    document = {
        "version": 1,
        "nodes": {"a": {"address": "10.0.0.100"}},
        "services": {"web": {"backends": {"w1": "10.0.0.1:80"}, **service}},
    }
    return prepare(Config.model_validate(document), "a").pools["web"]


@pytest.mark.parametrize(
    ("config", "service"),
    [
        pytest.param(
            {"address": "192.0.2.10:80", "scheduler": "sh", "flags": ["sh-port", "sh-fallback"]},
            Service(ServiceKey.of("tcp", "192.0.2.10", 80), "sh", ("flag-1", "flag-2")),
            id="flags-have-the-kernels-names",
        ),
        pytest.param(
            {"address": "[2001:db8::1]:80", "persistence": "5m", "persistence_prefix": 64},
            Service(ServiceKey.of("tcp", "2001:db8::1", 80), persistence=300, prefix=64),
            id="persistence-in-seconds",
        ),
        pytest.param(
            {"address": "192.0.2.10:53", "protocol": "udp", "one_packet": True},
            Service(ServiceKey.of("udp", "192.0.2.10", 53), one_packet=True),
            id="one-packet",
        ),
        pytest.param({"fwmark": 7, "family": "ipv6"}, Service(ServiceKey.marked(7, 6)), id="mark"),
    ],
)
def test_a_service_is_translated(config: dict[str, Any], service: Service) -> None:
    assert pool(**config).service == service


@pytest.mark.parametrize(
    ("config", "destination"),
    [
        pytest.param({}, Destination("10.0.0.1", 80), id="plain"),
        pytest.param(
            {"backends": {"w1": {"address": "10.0.0.1", "weight": 0, "upper": 9, "lower": 5}}},
            Destination("10.0.0.1", 80, weight=0, upper=9, lower=5),
            id="the-services-port",
        ),
        pytest.param(
            {"forward": "dr", "backends": {"w1": {"address": "10.0.0.1:80", "forward": "tun"}}},
            Destination("10.0.0.1", 80, "tun", tunnel=Tunnel()),
            id="its-own-forwarding",
        ),
    ],
)
def test_a_backend_is_translated(config: dict[str, Any], destination: Destination) -> None:
    made = pool(address="192.0.2.10:80", **config)
    assert made.backends["w1"].destination == destination
    assert made.places == {"w1": destination.key}


def test_a_backend_has_the_digest_that_health_computes() -> None:
    made = pool(address="192.0.2.10:80")
    assert made.backends["w1"].target == target_of(made.config, made.config.backends["w1"])


def test_a_sorry_server_is_forwarded_to_as_its_service_unless_it_says_otherwise() -> None:
    assert pool(address="192.0.2.10:80").sorry is None
    made = pool(address="192.0.2.10:80", forward="dr", sorry="10.0.0.9:80")
    assert made.sorry == Destination("10.0.0.9", 80, "dr")
    own = {"address": "10.0.0.9:8080", "forward": "nat"}
    made = pool(address="192.0.2.10:80", forward="dr", sorry=own)
    assert made.sorry == Destination("10.0.0.9", 8080, "nat")


@pytest.mark.parametrize(
    ("address", "prefix", "kept"),
    [
        pytest.param("192.0.2.10:80", 24, 24, id="ipv4"),
        pytest.param("192.0.2.10:80", 32, 0, id="all of ipv4"),
        pytest.param("[2001:db8::10]:80", 32, 32, id="ipv6"),
        pytest.param("[2001:db8::10]:80", 128, 0, id="all of ipv6"),
    ],
)
def test_a_whole_address_is_no_prefix_as_the_kernel_tells_it(
    address: str, prefix: int, kept: int
) -> None:
    made = pool(address=address, persistence="5m", persistence_prefix=prefix)
    assert made.service.prefix == kept


def test_a_flag_that_is_named_twice_is_one() -> None:
    made = pool(address="192.0.2.10:80", scheduler="sh", flags=["sh-port", "flag-1", "sh-fallback"])
    assert made.service.flags == ("flag-1", "flag-2")


def through(**service: Any) -> Prepared:
    """Prepare a service whose backends are checked through IPVS."""
    web = {"address": "192.0.2.10:80", "forward": "dr", "check": {"tcp": {}, "data_path": True}}
    backends = {"w1": {"address": "10.0.0.1:80", "weight": 0, "upper": 9}}
    document = {
        "version": 1,
        "nodes": {"a": {"address": "10.0.0.100"}},
        "services": {"web": web | {"backends": backends, **service}, "ntp": NTP},
    }
    return prepare(Config.model_validate(document), "a")


NTP = {"address": "192.0.2.10:123", "protocol": "udp", "assume_up": True}


def test_a_backend_checked_through_ipvs_has_a_service_of_its_own() -> None:
    made = through()
    ((name, path),) = made.paths.items()
    mark = marks_of(made.config)["web", "w1"]
    key = ServiceKey.marked(mark)
    assert (path.service, path.backend, path.table.key) == ("web", "w1", key)
    assert path.table == ServiceTable.of(Service(key, "rr"), [Destination("10.0.0.1", 0, "dr", 1)])
    assert made.key_of(name) == key
    assert made.owners == {**made.names, key: name}
    assert key not in made.names
    assert made.key_of("ntp") == ServiceKey.of("udp", "192.0.2.10", 123)
    assert made.key_of("gone") is None


def test_it_goes_the_way_of_the_backends_packets() -> None:
    backends = {"w1": "[2001:db8::1]:80"}
    (path,) = through(forward="tun", backends=backends).paths.values()
    assert path.table.key.family == 4
    assert path.table.destinations == (Destination("2001:db8::1", 0, "tun", tunnel=Tunnel()),)
    (path,) = through(address="[2001:db8::10]:80", backends=backends).paths.values()
    assert path.table.key.family == 6


def test_datagrams_leave_no_connections_behind() -> None:
    (path,) = through(protocol="udp").paths.values()
    assert path.table.service.one_packet


@pytest.mark.parametrize("on_stop", ["keep", "remove"])
def test_it_stays_or_goes_with_its_service(on_stop: str) -> None:
    made = through(on_stop=on_stop)
    (name,) = made.paths
    assert made.leaves(name) is made.leaves("web") is (on_stop == "remove")
    assert made.leaves("ntp") is False
