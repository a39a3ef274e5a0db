"""What the filter drops is said in one sentence, with a rule that mends it."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from libra_ipvs_writer.packet_filter.advice import advice
from libra_ipvs_writer.packet_filter.answers import IPAddress, Path, Server, answers
from libra_ipvs_writer.packet_filter.rules import Action, Base, Jump, Rule, Source, Unclear

ONE, TWO, FAR = (ip_address(text) for text in ("10.0.1.11", "10.0.1.12", "198.51.100.7"))
SIX = ip_address("2001:db8:5::7")
NEAR = Path("eth1", ip_network("10.0.1.0/24"))
DEFAULT, DEFAULT_SIX = Path("eth0", ip_network("0.0.0.0/0")), Path("eth0", ip_network("::/0"))
USER = {"FORWARD": (Rule((), Jump("DOCKER-USER")),), "DOCKER-USER": (Rule((), Action.RETURN),)}
SAYS = "The host's packet filter drops what real servers answer: "
POLICY = "the policy of FORWARD is DROP and no rule accepts "


def base(**more: Any) -> Base:
    words: dict[str, Any] = {
        "kind": "legacy", "family": "ip", "table": "filter", "chain": "FORWARD",
        "policy": Action.DROP, "priority": 0, "chains": {"FORWARD": ()}, **more,
    }  # fmt: skip
    return Base(**words)


def say(*bases: Base) -> list[str]:
    return told(bases, {ONE: NEAR, TWO: NEAR})


def told(bases: tuple[Base, ...], paths: Mapping[IPAddress, Path]) -> list[str]:
    servers = [Server(address, 6) for address in paths]
    seen = answers(servers, paths, frozenset({"eth0"}), tracked=False)
    return advice(bases, servers, paths, seen)


def test_neighbours_are_told_together_and_the_rule_is_for_their_network() -> None:
    assert say(base()) == [
        (
            f"{SAYS}{POLICY}10.0.1.11 (and 1 more) -> clients; "
            "run `iptables -I FORWARD -s 10.0.1.0/24 -j ACCEPT` on the host."
        )
    ]


def test_one_server_with_two_services_is_one() -> None:
    servers = [Server(ONE, 6), Server(ONE, 17)]
    seen = answers(servers, {ONE: NEAR}, frozenset({"eth0"}), tracked=False)
    (sentence,) = advice([base()], servers, {ONE: NEAR}, seen)
    assert f"{POLICY}10.0.1.11 -> clients" in sentence


def test_only_those_that_are_dropped_are_told() -> None:
    accepts = Rule((Source(int(ONE), int(ONE)),), Action.ACCEPT)
    (sentence,) = say(base(chains={"FORWARD": (accepts,)}))
    assert f"{POLICY}10.0.1.12 -> clients" in sentence
    assert say(base(policy=Action.ACCEPT)) == []


@pytest.mark.parametrize(
    ("chains", "chain"),
    [
        pytest.param(USER, "DOCKER-USER", id="docker's chain for the host's rules"),
        pytest.param({**USER, "FORWARD": ()}, "FORWARD", id="nothing leads there"),
        pytest.param(
            {**USER, "FORWARD": (Rule((), Action.DROP), *USER["FORWARD"])}, "FORWARD", id="too late"
        ),
        pytest.param(
            {**USER, "FORWARD": (Rule((Unclear(),), Action.DROP), *USER["FORWARD"])},
            "FORWARD",
            id="perhaps too late",
        ),
    ],
)
def test_the_rule_goes_where_it_helps(chains: Mapping[str, tuple[Rule, ...]], chain: str) -> None:
    (sentence,) = say(base(chains=chains))
    assert f"`iptables -I {chain} -s 10.0.1.0/24 -j ACCEPT`" in sentence


def test_a_rule_that_drops_is_told_where_the_policy_accepts() -> None:
    drops = {"FORWARD": (Rule((), Action.DROP),)}
    (sentence,) = say(base(chains=drops, policy=Action.ACCEPT))
    assert "a rule of FORWARD drops 10.0.1.11 (and 1 more) -> clients; run `iptables -I" in sentence


def test_the_tool_is_that_of_the_table() -> None:
    nft = base(kind="compat")
    assert "`iptables -I" in say(nft)[0]
    open_nft = base(kind="compat", policy=Action.ACCEPT)
    assert "`iptables-legacy -I" in say(base(), open_nft)[0]
    own = base(kind="nft", family="inet", table="fw", chain="fwd", chains={"fwd": ()})
    assert say(own) == [
        (
            f"{SAYS}the policy of inet fw fwd is DROP and no rule accepts 10.0.1.11 (and 1 more) "
            "-> clients; run `nft insert rule inet fw fwd ip saddr 10.0.1.0/24 accept` on the host."
        )
    ]


WIDE = Path("eth1", ip_network("10.0.0.0/8"))
EDGE = Path("eth1", ip_network("10.0.0.0/16"))
WIDE_SIX = Path("eth1", ip_network("2001:db8::/47"))
EDGE_SIX = Path("eth1", ip_network("2001:db8::/48"))


@pytest.mark.parametrize(
    ("path", "last", "network"),
    [
        pytest.param(DEFAULT, (11,), "10.0.1.11/32", id="the default route, one address"),
        pytest.param(DEFAULT, (11, 12), "10.0.1.8/29", id="the default route, two"),
        pytest.param(WIDE, (11,), "10.0.1.11/32", id="a wide route, one address"),
        pytest.param(WIDE, (8, 9), "10.0.1.8/31", id="a wide route, two"),
        pytest.param(WIDE, (1, 9, 200), "10.0.1.0/24", id="a wide route, three"),
        pytest.param(EDGE, (11,), "10.0.0.0/16", id="the widest that is taken"),
        pytest.param(DEFAULT_SIX, (7,), "2001:db8::7/128", id="IPv6, the default route"),
        pytest.param(WIDE_SIX, (4, 7), "2001:db8::4/126", id="IPv6, a wide route"),
        pytest.param(EDGE_SIX, (7,), "2001:db8::/48", id="IPv6, the widest that is taken"),
    ],
)
def test_behind_a_wide_route_the_rule_is_for_the_smallest_network(
    path: Path, last: tuple[int, ...], network: str
) -> None:
    six = path.network.version == SIX.version
    addresses = [ip_address(f"2001:db8::{each}" if six else f"10.0.1.{each}") for each in last]
    found = told((base(family="ip6" if six else "ip"),), dict.fromkeys(addresses, path))
    command = "ip6tables" if six else "iptables"
    assert [f"`{command} -I FORWARD -s {network} -j ACCEPT`" in each for each in found] == [True]


def test_nft_takes_the_network_of_either_family() -> None:
    own = base(kind="nft", family="inet", table="fw", chain="fwd", chains={"fwd": ()})
    (sentence,) = told((own,), {SIX: DEFAULT_SIX})
    assert "inet fw fwd ip6 saddr 2001:db8:5::7/128 accept" in sentence


def test_those_behind_a_wide_route_that_are_far_from_each_other_are_told_apart() -> None:
    found = told((base(),), dict.fromkeys((ONE, ip_address("10.200.0.5")), WIDE))
    assert ["-s 10.0.1.11/32 -j" in found[0], "-s 10.200.0.5/32 -j" in found[1]] == [True, True]


def test_each_network_has_its_sentence() -> None:
    found = told((base(),), {ONE: NEAR, FAR: DEFAULT})
    assert [each.count("-j ACCEPT") for each in found] == [1, 1]
