"""The dumps of nf_tables: golden bytes of Linux 6.18, and hostile ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ipvs_writer.packet_filter.golden import NF_TABLES

from libra_ipvs_writer.packet_filter.nft import (
    FAMILIES,
    NFGEN,
    Hooked,
    Place,
    decode,
    generation,
    hooked,
    programs,
    request,
)
from libra_ipvs_writer.packet_filter.rules import Action, Base, Family, UnreadableRules

IPTABLES = Hooked(Place(2, "filter"), "FORWARD", Action.DROP, 0)
OWN = Hooked(Place(1, "f"), "forw", Action.DROP, 10)
QUIET = Hooked(Place(1, "f"), "quiet", Action.ACCEPT, -5)


def base(hook: Hooked, family: Family) -> Base:
    return decode(hook, family, programs(hook.place, NF_TABLES["rule"]))


def test_the_chains_at_forward_are_found_but_for_dormant_tables() -> None:
    assert hooked(NF_TABLES["table"], NF_TABLES["chain"]) == [IPTABLES, OWN, QUIET]


def test_a_chain_at_another_hook_or_of_another_family_is_none_of_ours() -> None:
    arp = [NFGEN.pack(3, 0, 0) + each[NFGEN.size :] for each in NF_TABLES["chain"]]
    assert hooked(NF_TABLES["table"], arp) == []
    there = bytes.fromhex("0800010000000002")
    output = [each.replace(there, there[:-1] + b"\x03") for each in NF_TABLES["chain"]]
    assert hooked(NF_TABLES["table"], output) == []


def test_the_chains_that_forward_leads_to_are_read() -> None:
    compat = base(IPTABLES, 4)
    assert (compat.kind, compat.family, compat.policy) == ("compat", "ip", Action.DROP)
    assert {name: len(rules) for name, rules in compat.chains.items()} == {
        "FORWARD": 7,
        "DOCKER-USER": 2,
    }
    assert {name: len(rules) for name, rules in base(OWN, 4).chains.items()} == {
        "forw": 7,
        "deep": 2,
    }
    quiet = base(QUIET, 6)
    assert (quiet.kind, quiet.family, quiet.priority) == ("nft", "inet", -5)
    assert quiet.chains == {"quiet": ()}


def test_rules_of_the_other_family_are_left_out() -> None:
    assert {name: len(rules) for name, rules in base(OWN, 6).chains.items()} == {
        "forw": 6,
        "deep": 1,
    }


def test_the_generation_is_read() -> None:
    assert generation(NF_TABLES["generation"][0]) == 27
    with pytest.raises(UnreadableRules):
        generation(b"\0")


def test_a_dump_is_asked_for_by_table() -> None:
    assert request().hex() == "00000000"
    assert request(2, "filter").hex() == "020000000b00010066696c74657200" + "00"


@given(st.data())
def test_dumps_that_are_cut_are_read_or_refused(data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(NF_TABLES["rule"]))
    cut = bytearray(chosen[: data.draw(st.integers(0, len(chosen)))])
    for at in data.draw(st.lists(st.integers(0, max(0, len(cut) - 1)), max_size=6)):
        cut[at : at + 1] = data.draw(st.binary(min_size=1, max_size=1))
    try:
        found = hooked([bytes(cut)], [bytes(cut)])
        for hook in (IPTABLES, OWN, *found):
            for family in FAMILIES[hook.place.family][1]:
                read = decode(hook, family, programs(hook.place, [bytes(cut)]))
                assert read.chain in read.chains
    except UnreadableRules:
        return
