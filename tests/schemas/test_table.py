"""The table's values: equal tables are equal values, JSON and digests."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_schemas.reading import MalformedTable
from libra_schemas.table import (
    CHECKSUMS,
    TUNNEL_TYPES,
    Destination,
    Service,
    ServiceKey,
    ServiceTable,
    Tunnel,
    digest,
    key_from_json,
    key_to_json,
    packed,
    table_from_json,
    table_to_json,
    unpacked,
)

addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
ports = st.integers(0, 65535)
keys = st.one_of(
    st.builds(ServiceKey.of, st.sampled_from(("tcp", "udp", "sctp")), addresses, ports),
    st.builds(ServiceKey.marked, st.integers(1, 2**32 - 1), st.sampled_from((4, 6))),
)
services = st.builds(
    Service,
    key=keys,
    scheduler=st.sampled_from(("rr", "wlc", "sh", "mh")),
    flags=st.sets(st.sampled_from(("flag-1", "flag-2", "flag-3"))).map(lambda s: tuple(sorted(s))),
    persistence=st.integers(0, 86400),
    prefix=st.integers(0, 128),
    engine=st.sampled_from(("", "sip")),
    one_packet=st.booleans(),
)
tunnels = st.builds(Tunnel, st.sampled_from(TUNNEL_TYPES), ports, st.sampled_from(CHECKSUMS))
attributes = {
    "address": addresses,
    "port": ports,
    "weight": st.integers(0, 65535),
    "upper": st.integers(0, 2**32 - 1),
    "lower": st.integers(0, 2**32 - 1),
}
destinations = st.one_of(
    st.builds(Destination, forward=st.sampled_from(("nat", "dr", "local", "bypass")), **attributes),
    st.builds(Destination, forward=st.just("tun"), tunnel=tunnels, **attributes),
)
tables = st.builds(ServiceTable.of, services, st.lists(destinations, max_size=5))


@given(tables)
def test_a_table_survives_its_json(table: ServiceTable) -> None:
    assert table_from_json(table_to_json(table)) == table


@given(keys)
def test_a_key_survives_its_json(key: ServiceKey) -> None:
    assert key_from_json(key_to_json(key)) == key


@given(services, st.lists(destinations, max_size=5))
def test_the_order_of_destinations_makes_no_difference(
    service: Service, several: list[Destination]
) -> None:
    unique = list({each.key: each for each in several}.values())
    straight, reversed_ = ServiceTable.of(service, unique), ServiceTable.of(service, unique[::-1])
    assert straight == reversed_
    assert digest(straight) == digest(reversed_)


@given(st.lists(tables, max_size=4, unique_by=lambda table: str(table.key)))
def test_the_order_of_services_makes_no_difference_to_the_digest(
    several: list[ServiceTable],
) -> None:
    assert digest(*several) == digest(*reversed(several))


def test_another_weight_is_another_digest() -> None:
    service = Service(ServiceKey.of("tcp", "192.0.2.10", 80))
    one = ServiceTable.of(service, [Destination("10.0.0.1", 80, weight=1)])
    two = ServiceTable.of(service, [Destination("10.0.0.1", 80, weight=2)])
    assert digest(one) != digest(two)


@given(addresses)
def test_an_address_survives_packing(address: str) -> None:
    assert unpacked(packed(address)) == address


def test_destinations_stand_in_the_order_of_family_address_and_port() -> None:
    service = Service(ServiceKey.marked(7, 6))
    several = [("2001:db8::1", 1), ("10.0.0.10", 80), ("10.0.0.9", 81), ("10.0.0.9", 80)]
    table = ServiceTable.of(service, [Destination(*each) for each in several])
    assert [str(each) for each in table.destinations] == [
        "10.0.0.9:80",
        "10.0.0.9:81",
        "10.0.0.10:80",
        "[2001:db8::1]:1",
    ]
    assert table.key == service.key


@pytest.mark.parametrize(
    ("key", "text"),
    [
        pytest.param(ServiceKey.of("tcp", "192.0.2.10", 80), "tcp 192.0.2.10:80", id="v4"),
        pytest.param(ServiceKey.of("udp", "2001:DB8::1", 53), "udp [2001:db8::1]:53", id="v6"),
        pytest.param(ServiceKey.marked(7), "fwmark 7", id="mark"),
        pytest.param(ServiceKey.marked(7, 6), "fwmark 7 v6", id="mark-v6"),
    ],
)
def test_a_key_reads_like_an_endpoint(key: ServiceKey, text: str) -> None:
    assert str(key) == text


def test_every_spelling_of_an_address_is_one_key() -> None:
    assert ServiceKey.of("tcp", "2001:DB8:0::1", 80) == ServiceKey.of("tcp", "2001:db8::1", 80)
    assert packed(str(IPv6Address("::1"))) != packed(str(IPv4Address("0.0.0.1")))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(None, "service is missing", id="nothing"),
        pytest.param({"service": {"key": {"protocol": "icmp"}}}, "protocol is none of", id="word"),
        pytest.param({"service": {"key": {"protocol": 6}}}, "protocol is no text", id="text"),
        pytest.param(
            {"service": {"key": {"protocol": "tcp", "address": "web", "port": 80}}},
            "address: 'web'",
            id="address",
        ),
        pytest.param(
            {"service": {"key": {"protocol": "fwmark", "fwmark": True}}},
            "fwmark is no number",
            id="number",
        ),
        pytest.param(
            {
                "service": {"key": {"protocol": "fwmark", "fwmark": 1}, "scheduler": "rr"},
                "destinations": {},
            },
            "destinations is no list",
            id="list",
        ),
    ],
)
def test_json_that_is_no_table_is_refused_by_name(value: object, reason: str) -> None:
    with pytest.raises(MalformedTable, match=reason):
        table_from_json(value)
