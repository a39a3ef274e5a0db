"""`dns` against nsd, by UDP and by TCP."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.daemons.nsd import MANY, nsd
from tests.daemons.process import Daemon
from tests.health.servers.conftest import Ask

from libra_health.outcome import Failed, Passed, Reason


@pytest.fixture(scope="module")
def server() -> Iterator[Daemon]:
    with nsd() as daemon:
        yield daemon


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    "dns",
    [
        {"name": "example.net"},
        {"name": "EXAMPLE.NET.", "type": "SOA", "expect": (
            "ns.example.net hostmaster.example.net 2026112301 7200 3600 1209600 300")},
        {"name": "example.net", "type": "NS", "expect": "ns.example.net."},
        {"name": "example.net", "type": "MX",
         "expect": ["20 mail.example.org", "10 Mail.Example.net"]},
        {"name": "example.net", "type": "TXT", "expect": "v=spf1 mx -all"},
        {"name": "www.example.net", "type": "A", "expect": ["192.0.2.8", "192.0.2.7"]},
        {"name": "www.example.net", "type": "AAAA", "expect": "2001:DB8:0:0::7"},
        {"name": "web.example.net", "type": "CNAME", "expect": "www.example.net"},
        {"name": "web.example.net", "type": "A", "at_least": 2},
        {"name": "_ldap._tcp.example.net", "type": "SRV", "expect": "0 5 389 ns.example.net"},
        {"name": "7.2.0.example.net", "type": "PTR", "expect": "www.example.net"},
        {"name": "many.example.net", "type": "A", "at_least": MANY},
        {"name": "none.example.net", "type": "A", "rcode": "NXDOMAIN"},
        {"name": "example.org", "rcode": "REFUSED", "recursion": False},
        {"name": "ns.example.net", "type": "MX", "at_least": 0},
    ],
    ids=lambda dns: f"{dns.get('type', 'SOA')}-{dns['name']}",
)  # fmt: skip
def test_an_answer_as_expected_passes(
    ask: Ask, server: Daemon, dns: dict[str, Any], transport: str
) -> None:
    outcome = ask(server, {"dns": dns | {"transport": transport}})
    assert isinstance(outcome, Passed), outcome


@pytest.mark.parametrize(
    ("dns", "reason", "detail"),
    [
        (None, Reason.STATUS, "rcode REFUSED, wanted NOERROR"),
        ({"name": "none.example.net", "type": "A"}, Reason.STATUS,
         "rcode NXDOMAIN, wanted NOERROR"),
        ({"name": "ns.example.net", "type": "MX"}, Reason.CONTENT,
         "0 answers of the type, wanted 1"),
        ({"name": "ns.example.net", "type": "A", "expect": "192.0.2.9"}, Reason.CONTENT,
         "'192.0.2.9' not among 1 answers: '127.0.0.1'"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_as_expected_says_what_came(
    ask: Ask, server: Daemon, dns: Any, reason: Reason, detail: str
) -> None:
    outcome = ask(server, {"dns": dns})
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.detail) == (reason, detail)


def test_a_port_without_a_name_server_refuses(ask: Ask, server: Daemon) -> None:
    nobody = Daemon(1, server.log)
    for transport in ("udp", "tcp"):
        outcome = ask(nobody, {"dns": {"transport": transport}})
        assert isinstance(outcome, Failed)
        assert outcome.reason == Reason.REFUSED
