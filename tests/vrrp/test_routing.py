"""Routes and rules, against linux/rtnetlink.h, linux/fib_rules.h and what a 6.18 kernel lists."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp import netlink
from libra_vrrp.routing import (
    PROTOCOL,
    Entry,
    Fate,
    Kind,
    Route,
    Rule,
    Scope,
    add,
    delete,
    is_of,
    listing,
    ours,
    route,
    rule,
)

ANYWHERE, ANYWHERE_6 = ip_network("0.0.0.0/0"), ip_network("::/0")
VIA = IPv4Address("192.0.2.254")
DEFAULT = Route(ANYWHERE, "eth0", VIA, IPv4Address("192.0.2.10"), table=100, metric=50)
NET = ip_network("10.1.0.0/16")

ROUTES = [
    pytest.param(
        DEFAULT,
        2,
        "02 00 00 00 64 70 00 01 00000000"
        "0800 0f00 64000000 0800 0500 c00002fe 0800 0400 02000000"
        "0800 0700 c000020a 0800 0600 32000000",
        "route 0.0.0.0/0 via 192.0.2.254 dev eth0 src 192.0.2.10 table 100 metric 50",
        id="default in a table",
    ),
    pytest.param(
        Route(NET, "eth1"),
        3,
        "02 10 00 00 fe 70 fd 01 00000000 0800 0100 0a010000 0800 0f00 fe000000 0800 0400 03000000",
        "route 10.1.0.0/16 dev eth1",
        id="on the link",
    ),
    pytest.param(
        Route(NET, "eth1", VIA, scope=Scope.LINK, onlink=True),
        3,
        "02 10 00 00 fe 70 fd 01 04000000 0800 0100 0a010000 0800 0f00 fe000000"
        "0800 0500 c00002fe 0800 0400 03000000",
        "route 10.1.0.0/16 via 192.0.2.254 dev eth1",
        id="on the link by decree",
    ),
    pytest.param(
        Route(NET, fate=Fate.BLACKHOLE, table=1000),
        0,
        "02 10 00 00 fc 70 00 06 00000000 0800 0100 0a010000 0800 0f00 e8030000",
        "route blackhole 10.1.0.0/16 table 1000",
        id="nowhere",
    ),
    pytest.param(
        Route(ip_network("2001:db8::/32"), "eth0", IPv6Address("fe80::1")),
        2,
        "0a 20 00 00 fe 70 00 01 00000000 1400 0100 20010db8000000000000000000000000"
        "0800 0f00 fe000000 1400 0500 fe800000000000000000000000000001 0800 0400 02000000",
        "route 2001:db8::/32 via fe80::1 dev eth0",
        id="of IPv6",
    ),
]  # fmt: skip

RULES = [
    pytest.param(
        Rule(4, 100, source=NET, table=100),
        "02 00 10 00 64 00 00 01 00000000"
        "0800 0200 0a010000 0800 0600 64000000 0800 0f00 64000000 0500 1500 70 000000",
        "rule 100: from 10.1.0.0/16 lookup 100",
        id="from",
    ),
    pytest.param(
        Rule(4, 7, destination=NET, into="eth1", out="lo", mark=(16, 255), table=1000),
        "02 10 00 00 fc 00 00 01 00000000 0800 0100 0a010000"
        "0900 0300 6574683100 000000 0700 1100 6c6f00 00 0800 0a00 10000000 0800 1000 ff000000"
        "0800 0600 07000000 0800 0f00 e8030000 0500 1500 70 000000",
        "rule 7: from all to 10.1.0.0/16 iif eth1 oif lo fwmark 0x10/0xff lookup 1000",
        id="all kinds",
    ),
    pytest.param(
        Rule(6, 8, fate=Fate.PROHIBIT),
        "0a 00 00 00 00 00 00 08 00000000 0800 0600 08000000 0500 1500 70 000000",
        "rule 8: from all prohibit",
        id="nowhere",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("one", "index", "octets", "said"), ROUTES)
def test_a_route_is_asked_for_in_these_bytes(
    one: Route, index: int, octets: str, said: str
) -> None:
    entry = route(one, index)
    assert (entry.kind, entry.body.hex()) == (Kind.ROUTE, bytes.fromhex(octets).hex())
    assert entry.said == said


@pytest.mark.parametrize(("one", "octets", "said"), RULES)
def test_a_rule_is_asked_for_in_these_bytes(one: Rule, octets: str, said: str) -> None:
    entry = rule(one)
    assert (entry.kind, entry.body.hex()) == (Kind.RULE, bytes.fromhex(octets).hex())
    assert entry.said == said


def test_a_route_may_stand_before_others_and_a_rule_is_made_once() -> None:
    """linux/netlink.h: REQUEST ACK CREATE, and EXCL; RTM_NEWROUTE 24, RTM_NEWRULE 32."""
    one, other = route(DEFAULT, 2), rule(Rule(4, 1, table=9))
    assert add(9, one)[4:12] == bytes.fromhex("1800 0504 09000000")
    assert add(9, other)[4:12] == bytes.fromhex("2000 0506 09000000")
    assert delete(9, one)[4:12] == bytes.fromhex("1900 0500 09000000")
    assert delete(9, other)[4:12] == bytes.fromhex("2100 0500 09000000")
    assert add(9, one)[16:] == delete(9, one)[16:] == one.body


def test_routes_are_listed_by_who_made_them_and_rules_all() -> None:
    assert listing(1, Kind.ROUTE, 4) == bytes.fromhex(
        "1c000000 1a00 0103 01000000 00000000 02 00 00 00 00 70 00 00 00000000"
    )
    assert listing(2, Kind.RULE, 6) == bytes.fromhex(
        "1c000000 2200 0103 02000000 00000000 0a 00 00 00 00 00 00 00 00000000"
    )


def listed(entry: Entry, flags: int = 0) -> bytes:
    """Return an entry as the kernel lists it: with flags, and attributes of its own."""
    body = entry.body[:8] + flags.to_bytes(4, "little") + entry.body[12:]
    return netlink.message(entry.kind, 2, 5, body + netlink.attribute(12, bytes(8)))


# Received from RTM_GETROUTE and RTM_GETRULE of both families, in a namespace where these had been
# asked for and eth0 (3) then had lost its carrier; the rules of the kernel are among them.
LISTED = bytes.fromhex(
    "440000001800220001000000236adbd902000000647000011000000008000f00640000000800060032000000"
    "08000700c000020a08000500c00002fe0800040003000000"
    "2c0000001800220001000000236adbd902100000fc7000060000000008000f00e8030000080001000a010000"
    "3c0000001800220001000000236adbd902100000fe7000011400000008000f00fe000000080001000a020000"
    "08000500c63364010800040003000000"
    "880000001800220001000000236adbd90a200000fe7000011000000008000f00fe0000001400010020010db8"
    "000000000000000000000000080006000004000014000500fe80000000000000000000000000000108000400"
    "0300000024000c00000000000000000000000000000000000000000000000000000000000000000005001400"
    "00000000"
    "340000002000020001000000236adbd902000000ff0000010000000008000f00ff00000008000e00ffffffff"
    "0500150002000000"
    "680000002000020001000000236adbd902100000fc0000010000000008000f00e803000008000e00ffffffff"
    "0500150070000000090003006574683100000000070011006c6f0000080006000700000008000a0010000000"
    "08001000ff000000080001000a010000"
    "3c0000002000020001000000236adbd902000000fe0000010000000008000f00fe00000008000e00ffffffff"
    "050015000200000008000600fe7f0000"
    "3c0000002000020001000000236adbd902000000fd0000010000000008000f00fd00000008000e00ffffffff"
    "050015000200000008000600ff7f0000"
    "340000002000020001000000236adbd90a000000ff0000010000000008000f00ff00000008000e00ffffffff"
    "0500150002000000"
    "3c0000002000020001000000236adbd90a000000000000080000000008000f000000000008000e00ffffffff"
    "05001500700000000800060008000000"
    "3c0000002000020001000000236adbd90a000000fe0000010000000008000f00fe00000008000e00ffffffff"
    "050015000200000008000600fe7f0000"
)
ASKED = (
    route(DEFAULT, 3),
    route(Route(NET, fate=Fate.BLACKHOLE, table=1000), 0),
    route(Route(ip_network("10.2.0.0/16"), "eth0", IPv4Address("198.51.100.1"), onlink=True), 3),
    route(Route(ip_network("2001:db8::/32"), "eth0", IPv6Address("fe80::1")), 3),
    rule(Rule(4, 7, destination=NET, into="eth1", out="lo", mark=(16, 255), table=1000)),
    rule(Rule(6, 8, fate=Fate.PROHIBIT)),
)


def test_what_the_kernel_lists_of_ours_is_what_was_asked_for() -> None:
    found = [*ours(LISTED)]
    assert [[is_of(one, asked) for asked in ASKED] for one in found] == [
        [number == place for number in range(len(ASKED))] for place in range(len(found))
    ]
    assert len(found) == len(ASKED)


def test_ours_are_told_apart_by_their_protocol() -> None:
    one, other = route(DEFAULT, 2), rule(Rule(4, 1, table=9))
    foreign = replace(one, body=one.body[:5] + b"\4" + one.body[6:])
    unsigned = replace(other, body=other.body[:-8])
    done = netlink.message(3, 2, 5, bytes(4))
    parts = listed(one, 0x10), listed(foreign), listed(other), listed(unsigned), done
    found = [*ours(b"".join(parts))]
    assert [each.kind for each in found] == [Kind.ROUTE, Kind.RULE]
    assert is_of(found[0], one)
    assert is_of(found[1], other)
    assert found[0].body[8:12] == bytes(4)


@pytest.mark.parametrize(
    "other",
    [
        route(replace(DEFAULT, metric=51), 2),
        route(DEFAULT, 3),
        route(replace(DEFAULT, via=IPv4Address("192.0.2.253")), 2),
        route(replace(DEFAULT, to=NET), 2),
        route(replace(DEFAULT, scope=Scope.LINK), 2),
        rule(Rule(4, 1)),
    ],
)
def test_another_one_is_not_what_was_asked_for(other: Entry) -> None:
    (found,) = ours(listed(route(DEFAULT, 2)))
    assert not is_of(found, other)


def test_what_it_is_called_makes_no_difference() -> None:
    assert Entry(Kind.RULE, b"1", "one") == Entry(Kind.RULE, b"1", "other")


@given(
    st.integers(1, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.sampled_from(Fate),
    st.none() | st.sampled_from(Scope),
    st.booleans(),
)
def test_every_route_is_found_again_in_a_listing(
    table: int, metric: int, fate: Fate, scope: Scope | None, onlink: bool
) -> None:
    for to in (ANYWHERE, ANYWHERE_6, NET):
        via = ip_address("2001:db8::1" if to.version == 6 else "192.0.2.1")
        one = Route(to, "eth0", via, None, table, metric, scope, onlink, fate)
        entry = route(one, 2)
        assert entry.body[5] == PROTOCOL
        (found,) = ours(listed(entry, 0x10))
        assert is_of(found, entry)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_listing_or_refused(datagram: bytes) -> None:
    try:
        assert isinstance(list(ours(datagram)), list)
    except ValueError as wrong:
        assert "netlink" in str(wrong)  # noqa: PT017 - either way is right
