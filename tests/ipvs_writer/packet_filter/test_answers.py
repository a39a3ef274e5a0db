"""Which answers there are: real servers behind NAT, sorry servers too."""

from ipaddress import ip_address, ip_network
from typing import Any

from libra_ipvs_writer.packet_filter.answers import Path, Server, answers, of_family, servers
from libra_ipvs_writer.packet_filter.fate import Answer
from libra_ipvs_writer.packet_filter.rules import Tracking
from libra_schemas.config import Config

ONE, TWO = ip_address("10.0.1.1"), ip_address("10.0.1.2")
SIX = ip_address("2001:db8::1")


def config(**services: dict[str, Any]) -> Config:
    document = {"version": 1, "nodes": {"a": {"address": "10.0.0.1"}}, "services": services}
    return Config.model_validate(document)


def test_servers_behind_nat_are_listed_once() -> None:
    found = servers(
        config(
            web={
                "address": "192.0.2.10:80",
                "backends": {
                    "one": "10.0.1.1:80",
                    "two": {"address": "10.0.1.2:80", "forward": "dr"},
                },
            },
            again={"address": "192.0.2.10:81", "backends": {"one": "10.0.1.1:81"}},
            dns={
                "address": "[2001:db8:1::10]:53",
                "protocol": "udp",
                "check": "tcp",
                "backends": {"six": "[2001:db8::1]:53"},
            },
            marked={"fwmark": 7, "forward": "dr", "backends": {"two": "10.0.1.2:80"}},
        )
    )
    assert found == (Server(ONE, 6), Server(SIX, 17))
    assert of_family(found, 4) == (Server(ONE, 6),)
    assert of_family(found, 6) == (Server(SIX, 17),)


def test_a_sorry_server_answers_too() -> None:
    web: dict[str, Any] = {"address": "192.0.2.10:80", "forward": "dr"}
    web["backends"] = {"one": "10.0.1.1:80"}
    assert servers(config(web=web | {"sorry": "10.0.1.2:80"})) == ()
    sorry = {"address": "10.0.1.2:80", "forward": "nat"}
    assert servers(config(web=web | {"sorry": sorry})) == (Server(TWO, 6),)


def test_behind_a_mark_any_protocol_may_answer() -> None:
    marked = {"fwmark": 7, "forward": "nat", "assume_up": True, "backends": {"one": "10.0.1.1"}}
    assert servers(config(marked=marked)) == (Server(ONE, None),)


def test_an_answer_comes_in_by_the_route_and_is_established_only_where_ipvs_tracks() -> None:
    paths = {ONE: Path("eth1", ip_network("10.0.1.0/24"))}
    found = answers([Server(ONE, 6)], paths, frozenset({"eth0"}), tracked=False)
    assert found.each == (Answer(int(ONE), "eth1", 6),)
    assert not found.tracking & Tracking.ESTABLISHED
    tracked = answers([Server(ONE, 6)], paths, frozenset(), tracked=True)
    assert Tracking.ESTABLISHED in tracked.tracking
