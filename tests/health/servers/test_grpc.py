"""`grpc` against a server of grpcio."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.daemons.grpcd import grpcd
from tests.daemons.process import Daemon
from tests.daemons.slapd import slapd
from tests.health.servers.conftest import Ask

from libra_health.outcome import Failed, Passed, Reason

Pem = tuple[Path, Path]


@pytest.fixture(scope="module")
def server() -> Iterator[Daemon]:
    with grpcd() as daemon:
        yield daemon


@pytest.mark.parametrize("grpc", [None, {"service": "mail.Mailbox"}, {"authority": "a.example"}])
def test_a_server_that_serves_passes_and_is_parted_from_at_once(
    ask: Ask, server: Daemon, grpc: Any
) -> None:
    outcome = ask(server, {"grpc": grpc})
    assert isinstance(outcome, Passed), outcome
    assert outcome.latency < 10


@pytest.mark.parametrize(
    ("service", "detail"),
    [
        ("mail.Queue", "service mail.Queue is NOT_SERVING, wanted SERVING"),
        ("a", "service a is UNKNOWN, wanted SERVING"),
        ("b", "grpc-status 5 NOT_FOUND"),
    ],
)
def test_a_service_that_does_not_serve_says_so(
    ask: Ask, server: Daemon, service: str, detail: str
) -> None:
    outcome = ask(server, {"grpc": {"service": service}})
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.detail) == (Reason.STATUS, detail)


def test_a_server_without_a_health_service_fails_and_is_told_so(ask: Ask) -> None:
    with grpcd(healthy=False) as bare:
        outcome = ask(bare, "grpc")
    assert isinstance(outcome, Failed)
    said = "grpc-status 12 UNIMPLEMENTED: the server has no health service: 'Method not found!'"
    assert outcome.detail == said


def test_http2_is_chosen_over_tls(ask: Ask, pem: Pem) -> None:
    tls = {"name": "server.example", "ca_file": str(pem[0])}
    with grpcd(tls=pem) as secured:
        assert isinstance(ask(secured, {"grpc": {"tls": tls}}), Passed)
        unknown = ask(secured, {"grpc": {"tls": True}})
        assert isinstance(unknown, Failed)
        assert unknown.reason == Reason.CERTIFICATE
        in_clear = ask(secured, "grpc")
        assert isinstance(in_clear, Failed)
        assert in_clear.reason in {Reason.CLOSED, Reason.RESET}, in_clear


def test_a_tls_server_that_does_not_speak_http2_fails_by_alpn(ask: Ask, pem: Pem) -> None:
    tls = {"name": "server.example", "ca_file": str(pem[0])}
    with slapd(tls=pem, implicit=True) as other:
        outcome = ask(other, {"grpc": {"tls": tls}})
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.detail) == (
        Reason.TLS,
        "ALPN: chose no protocol, wanted h2",
    )
