"""The blobs of ip_tables: golden bytes of Linux 6.1, and hostile ones."""

from ipaddress import ip_network
from struct import pack_into

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ipvs_writer.packet_filter.golden import IP_TABLES

from libra_ipvs_writer.packet_filter.legacy import (
    Info,
    decode,
    decode_info,
    request,
)
from libra_ipvs_writer.packet_filter.rules import (
    Action,
    Family,
    Interface,
    Jump,
    Protocol,
    Rule,
    Source,
    Tracked,
    Tracking,
    Unclear,
    UnreadableRules,
)

COMMANDS: dict[Family, str] = {4: "iptables", 6: "ip6tables"}
NETWORKS: dict[Family, str] = {4: "10.0.1.0/24", 6: "2001:db8:1::/48"}
DOCKER0 = Interface("docker0")
OUT = Interface("docker0", out=True)
NOT_OUT = Interface("docker0", out=True, negated=True)
FAMILY: st.SearchStrategy[Family] = st.sampled_from([4, 6])


def capture(family: Family) -> tuple[Info, bytes]:
    info, entries = IP_TABLES[COMMANDS[family]]
    return decode_info(info), entries


@pytest.mark.parametrize("family", [4, 6])
def test_what_iptables_lists_is_what_is_read(family: Family) -> None:
    """The rules stand above each capture, in this order."""
    base = decode(family, *capture(family))
    network = ip_network(NETWORKS[family])
    first, last = int(network.network_address), int(network.broadcast_address)
    assert (base.kind, base.chain, base.policy) == ("legacy", "FORWARD", Action.DROP)
    assert base.chains["FORWARD"] == (
        Rule((), Jump("DOCKER-USER")),
        Rule((OUT, Tracked(Tracking.ESTABLISHED | Tracking.RELATED)), Action.ACCEPT),
        Rule((DOCKER0, NOT_OUT), Action.ACCEPT),
        Rule((Interface("br-", prefix=True, negated=True), Protocol(6)), Action.GO_ON),
        Rule((Unclear(),), Action.ACCEPT),
        Rule((Unclear(), Protocol(6), Unclear()), Action.ACCEPT),
        Rule((Tracked(Tracking.INVALID | Tracking.UNTRACKED, negated=True),), Action.DROP),
        Rule((Unclear(),), Action.ACCEPT),
        Rule((Protocol(17, negated=True),), Jump("ONE", returns=False)),
        Rule((Source(first, last, negated=True),), Action.GO_ON),
    )
    assert base.chains["DOCKER-USER"][:2] == (
        Rule((Source(first, last),), Action.ACCEPT),
        Rule((), Action.RETURN),
    )
    assert base.chains["ONE"] == (Rule((), Action.UNSURE), Rule((), Action.RETURN))


def test_the_question_names_the_table_and_the_size() -> None:
    assert request(0x0102) == b"filter" + bytes(26) + b"\x02\x01\0\0" + bytes(4)


def test_the_info_tells_what_the_entries_measure() -> None:
    for family in COMMANDS:
        info, entries = capture(family)
        assert info.size == len(entries)
    with pytest.raises(UnreadableRules, match="3 bytes do not describe"):
        decode_info(b"abc")


@given(FAMILY, st.data())
def test_a_blob_that_is_cut_or_changed_is_read_or_refused(
    family: Family, data: st.DataObject
) -> None:
    info, entries = capture(family)
    end = data.draw(st.integers(0, len(entries)))
    changed = bytearray(entries[:end])
    for at in data.draw(st.lists(st.integers(0, max(0, end - 1)), max_size=8)):
        changed[at : at + 1] = data.draw(st.binary(min_size=1, max_size=1))
    try:
        base = decode(family, info, bytes(changed[:end]))
    except UnreadableRules:
        return
    assert base.chain == "FORWARD"


@given(FAMILY, st.builds(Info, *[st.integers(0, 2000)] * 4), st.binary(max_size=600))
def test_any_bytes_are_rules_or_refused(family: Family, info: Info, octets: bytes) -> None:
    try:
        base = decode(family, info, octets)
    except UnreadableRules:
        return
    assert base.chain == "FORWARD"


def entry(verdict: int, *, target: int = 112, size: int = 152, measure: int = 40) -> bytes:
    """Make an IPv4 entry whose standard target begins at *target* and says how much it is."""
    octets = bytearray(152)
    pack_into("=HH", octets, 88, target, size)
    pack_into("=H", octets, target, measure)
    pack_into("=i", octets, 144, verdict)
    return bytes(octets)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        pytest.param(entry(152 * 7) * 2, "where no chain begins", id="a jump to nowhere"),
        pytest.param(entry(-2, size=160), "does not fit at byte 0", id="longer than the blob"),
        pytest.param(entry(-2, measure=9), "a match of 9 bytes", id="shorter than its head"),
        pytest.param(entry(-2, target=140), "no match or target fits", id="a target at the end"),
        pytest.param(entry(-2, measure=32) * 2, "no verdict", id="a target without its verdict"),
        pytest.param(entry(-5) * 2, "ends by", id="a policy that is none"),
        pytest.param(entry(-2)[:90], "no entry fits", id="half an entry"),
    ],
)
def test_a_broken_entry_is_refused(octets: bytes, why: str) -> None:
    with pytest.raises(UnreadableRules, match=why):
        decode(4, Info(0, 152, 2, len(octets)), octets)


def test_a_chain_that_nothing_ends_is_refused() -> None:
    named = bytearray(entry(0, size=176, measure=64) + bytes(24))
    named[114:119], named[144:146] = b"ERROR", b"c\0"
    octets = entry(152 * 2 + 176) + entry(-1) + bytes(named) + entry(-5)
    with pytest.raises(UnreadableRules, match="the chain c has no end"):
        decode(4, Info(0, 152, 4, len(octets)), octets)


def test_an_unknown_verdict_is_unsure() -> None:
    octets = entry(-4) + entry(-1)
    base = decode(4, Info(0, 152, 2, len(octets)), octets)
    assert base.chains["FORWARD"] == (Rule((), Action.UNSURE),)


def test_a_chain_that_is_led_to_again_is_read_once() -> None:
    octets = entry(0) + entry(-1)
    base = decode(4, Info(0, 152, 2, len(octets)), octets)
    assert base.chains == {"FORWARD": (Rule((), Jump("FORWARD")),)}
