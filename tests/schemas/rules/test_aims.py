from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document


@pytest.mark.parametrize(
    ("check", "complaint"),
    [
        ({"tcp": None, "address": "0.0.0.0"}, ".address: 0.0.0.0 is no host"),
        ({"tcp": None, "address": "::"}, ".address: :: is no host"),
        ({"tcp": None, "address": "224.0.0.1"}, ".address: 224.0.0.1 is a multicast group"),
        ({"udp": None, "address": "255.255.255.255"}, ".address: 255.255.255.255 is every host"),
        ({"tcp": None, "address": "fe80::1%eth0"}, ".address: fe80::1%eth0 has a zone"),
        ({"tcp": None, "port": 0}, ".port: "),
        ({"icmp": None, "port": 80}, ".port: icmp asks no port (leave it out)"),
        ({"file": {"path": "/x"}, "port": 80}, ".port: a file check sends nothing (leave it out)"),
        ({"tcp": None, "every": "1ms"}, ".every: is shorter than 10ms"),
        ({"tcp": {"send": ""}}, ".tcp.send: is empty (leave it out)"),
        ({"tcp": {"expect": ""}}, ".tcp.expect: is empty (leave it out)"),
        (
            {"tcp": {"exchanges": [{"send": "", "expect": "x"}]}},
            ".tcp.exchanges[0].send: is empty (leave it out)",
        ),
        ({"udp": {"send": ""}}, ".udp.send: is empty (leave it out)"),
        ({"udp": {"expect": ""}}, ".udp.expect: is empty (leave it out)"),
        (
            {"smtp": {"user": "", "password_file": "/p", "starttls": True}},
            ".smtp.user: is empty (leave it out)",
        ),
        ({"dns": {"type": "PTR", "name": "300.1.1.1"}}, ".dns.name: no IPv4 address: '300.1.1.1'"),
        (
            {"dns": {"rcode": "NXDOMAIN", "expect": ["192.0.2.1"]}},
            ".dns.expect: no answers come with rcode NXDOMAIN",
        ),
        ({"tcp": None, "bind": "::1"}, ".bind: 10.0.1.11, which is probed, is no IPv6 address"),
        (
            {"tcp": None, "bind": {"a": "10.0.0.2", "b": "::1"}},
            ".bind.b: 10.0.1.11, which is probed, is no IPv6 address",
        ),
        ({"tcp": None, "bind": {"a": "10.0.0.2"}}, ".bind: says nothing of b"),
        ({"tcp": None, "interface": {"b": "eth0"}}, ".interface: says nothing of a"),
        (
            {"tcp": None, "interface": {"a": "eth0", "b": "eth0", "c": "eth0"}},
            ".interface.c: there is no node c (the nodes are a, b)",
        ),
    ],
)
def test_a_check_that_can_never_work_is_told_once_where_it_stands(
    document: Document, complaints: Complain, check: dict[str, Any], complaint: str
) -> None:
    document["services"]["web"]["check"] = check
    (said,) = complaints(document)
    assert said.startswith(f"services.web.check{complaint}")


@pytest.mark.parametrize("address", ["0.0.0.0:80", "224.0.0.1:80", "255.255.255.255:80"])
def test_a_backend_is_one_host(document: Document, complaints: Complain, address: str) -> None:
    document["services"]["web"]["backends"]["w1"] = address
    (said,) = complaints(document)
    assert said.startswith("services.web.backends.w1: ")
    assert said.endswith("(write the address of the backend itself)")


@pytest.mark.parametrize(
    "check",
    [
        {"tcp": None, "bind": "10.0.0.2", "every": "10ms"},
        {"tcp": None, "bind": {"a": "10.0.0.2", "b": "10.0.0.3"}, "port": 65535},
        {"tcp": None, "address": "2001:db8::1", "bind": "2001:db8::2"},
        {"dns": {"type": "PTR", "name": "192.0.2.1"}},
        {"dns": {"type": "PTR", "name": "1.2.0.192.in-addr.arpa"}},
        {"exec": {"command": ["/bin/true"]}, "port": 80},
    ],
)
def test_a_check_that_can_work_is_fine(
    document: Document, complaints: Complain, check: object
) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == []
