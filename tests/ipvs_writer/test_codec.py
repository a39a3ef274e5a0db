"""IPVS messages: golden bytes of ipvsadm and Linux 6.1 both ways, round trips, hostile bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ipvs_writer.golden import GOLDEN

from libra_ipvs_writer.codec import (
    decode_destination,
    decode_service,
    encode,
    encode_destination,
    list_destinations,
    list_services,
)
from libra_ipvs_writer.netlink import MalformedMessage
from libra_schemas.operations import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Operation,
    SetDestination,
    SetService,
)
from libra_schemas.table import (
    CHECKSUMS,
    TUNNEL_TYPES,
    Destination,
    Service,
    ServiceKey,
    Tunnel,
)

WEB = Service(ServiceKey.of("tcp", "192.0.2.10", 80), "wrr", persistence=300, prefix=24)
DNS = Service(ServiceKey.of("udp", "2001:db8::10", 53), "sh", ("flag-1", "flag-2"), one_packet=True)
MARK = Service(ServiceKey.marked(7, 6), "mh", ("flag-2",))
W1 = Destination("10.0.1.11", 8080, "nat", 3, upper=100, lower=50)
D1 = Destination("2001:db8:1::2", 53, "dr", 2)
T1 = Destination("10.0.1.9", 0, "tun", 1, tunnel=Tunnel("gue", 6080, "csum"))

ADDED = [
    pytest.param("-A -t 192.0.2.10:80 -s wrr -p 300 -M 255.255.255.0", WEB, id="tcp"),
    pytest.param("-A -u [2001:db8::10]:53 -s sh -b sh-fallback,sh-port -o", DNS, id="udp6"),
    pytest.param("-A -f 7 -6 -s mh -b mh-port", MARK, id="fwmark6"),
]


@pytest.mark.parametrize(("command", "service"), ADDED)
def test_a_service_is_added_with_the_bytes_of_ipvsadm(command: str, service: Service) -> None:
    assert [encode(AddService(service))] == GOLDEN[command][">"]


@pytest.mark.parametrize(("command", "service"), ADDED)
def test_what_ipvsadm_sends_is_read_as_the_service(command: str, service: Service) -> None:
    assert decode_service(GOLDEN[command][">"][0]) == service


DESTINED = [
    pytest.param(
        "-a -t 192.0.2.10:80 -r 10.0.1.11:8080 -m -w 3 -x 100 -y 50",
        AddDestination(WEB.key, W1),
        id="add",
    ),
    pytest.param(
        "-a -u [2001:db8::10]:53 -r [2001:db8:1::2]:53 -g -w 2",
        AddDestination(DNS.key, D1),
        id="add-v6",
    ),
    pytest.param(
        "-a -f 7 -6 -r 10.0.1.9 -i --tun-type gue --tun-port 6080 --tun-csum",
        AddDestination(MARK.key, T1),
        id="add-tunnel",
    ),
    pytest.param(
        "-e -t 192.0.2.10:80 -r 10.0.1.11:8080 -m -w 0",
        SetDestination(WEB.key, Destination("10.0.1.11", 8080, "nat", 0)),
        id="set",
    ),
]


@pytest.mark.parametrize(("command", "operation"), DESTINED)
def test_a_destination_is_sent_as_ipvsadm_sends_it(
    command: str, operation: AddDestination | SetDestination
) -> None:
    (theirs,) = GOLDEN[command][">"]
    ours = encode(operation)
    assert ours[:4] == theirs[:4]
    assert encode_destination(operation.destination) == theirs[-len(ours) :][-92:]
    assert ours[-96:] == theirs[-96:]
    assert decode_destination(theirs) == operation.destination


def test_the_dumps_ask_as_ipvsadm_asks() -> None:
    ours = [list_services(), *(list_destinations(each.key) for each in (WEB, DNS, MARK))]
    assert ours == GOLDEN["-Sn"][">"]


def test_a_dump_of_linux_6_1_is_read_completely() -> None:
    web, dns, mark, d1, t1 = GOLDEN["-Sn"]["<"]
    assert [decode_service(each) for each in (web, dns, mark)] == [WEB, DNS, MARK]
    assert [decode_destination(each) for each in (d1, t1)] == [D1, T1]


def test_deletions_name_their_entity() -> None:
    (theirs,) = GOLDEN["-d -t 192.0.2.10:80 -r 10.0.1.11:8080"][">"]
    ours = encode(DeleteDestination(WEB.key, "10.0.1.11", 8080))
    assert (ours[:4], decode_destination(ours).key) == (theirs[:4], ("10.0.1.11", 8080))
    (theirs,) = GOLDEN["-D -t 192.0.2.10:80"][">"]
    assert encode(DeleteService(WEB.key))[8:52] == theirs[8:52]


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
ports = st.integers(0, 65535)
numbers = st.integers(0, 2**32 - 1)
keys = st.one_of(
    st.builds(ServiceKey.of, st.sampled_from(("tcp", "udp", "sctp")), addresses, ports),
    st.builds(ServiceKey.marked, st.integers(1, 2**32 - 1), st.sampled_from((4, 6))),
)
services = st.builds(
    Service,
    key=keys,
    scheduler=st.sampled_from(("rr", "wlc", "sh", "mh")),
    flags=st.sets(st.sampled_from(("flag-1", "flag-2", "flag-3"))).map(lambda s: tuple(sorted(s))),
    persistence=st.integers(1, 86400),
    prefix=st.integers(0, 31),
    engine=st.sampled_from(("", "sip")),
    one_packet=st.booleans(),
)
common = {
    "address": addresses,
    "port": ports,
    "weight": st.integers(0, 65535),
    "upper": numbers,
    "lower": numbers,
}
destinations = st.one_of(
    st.builds(Destination, forward=st.sampled_from(("nat", "dr", "local", "bypass")), **common),
    st.builds(
        Destination,
        forward=st.just("tun"),
        tunnel=st.builds(Tunnel, st.sampled_from(TUNNEL_TYPES), ports, st.sampled_from(CHECKSUMS)),
        **common,
    ),
)


@given(services)
def test_a_service_survives_the_wire(service: Service) -> None:
    assert decode_service(encode(AddService(service))) == service
    assert decode_service(encode(SetService(service))) == service


@given(keys, destinations)
def test_a_destination_survives_the_wire(key: ServiceKey, destination: Destination) -> None:
    operation: Operation
    for operation in (AddDestination(key, destination), SetDestination(key, destination)):
        assert decode_destination(encode(operation)) == destination


@given(
    st.one_of(
        st.binary(max_size=120),
        st.builds(
            lambda octets, at, byte: octets[:at] + bytes([byte]) + octets[at + 1 :],
            st.sampled_from(GOLDEN["-Sn"]["<"]),
            st.integers(0, 140),
            st.integers(0, 255),
        ),
    )
)
def test_any_bytes_decode_or_are_malformed(octets: bytes) -> None:
    for decode, kind in ((decode_service, Service), (decode_destination, Destination)):
        try:
            decoded = decode(octets)
        except MalformedMessage:
            continue
        assert isinstance(decoded, kind)


def test_a_tunnel_of_a_kernel_that_knows_no_types_is_ipip() -> None:
    (theirs,) = GOLDEN["-a -f 7 -6 -r 10.0.1.9 -i --tun-type gue --tun-port 6080 --tun-csum"][">"]
    old = theirs.replace(bytes.fromhex("05000d0001000000"), bytes.fromhex("0500630001000000"))
    assert decode_destination(old).tunnel == Tunnel("ipip")


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        pytest.param("0600010002", "0600010003", "address family 3", id="family"),
        pytest.param("0600020006", "0600020001", "none of TCP, UDP, SCTP", id="protocol"),
    ],
)
def test_a_service_that_cannot_be_is_malformed(good: str, bad: str, reason: str) -> None:
    octets = GOLDEN["-Sn"]["<"][0].replace(bytes.fromhex(good), bytes.fromhex(bad))
    with pytest.raises(MalformedMessage, match=reason):
        decode_service(octets)


def test_a_forwarding_method_that_cannot_be_is_malformed() -> None:
    octets = GOLDEN["-Sn"]["<"][3].replace(b"\x08\x00\x03\x00\x03", b"\x08\x00\x03\x00\x07")
    with pytest.raises(MalformedMessage, match="forwarding method 7 is unknown"):
        decode_destination(octets)
