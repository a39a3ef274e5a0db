"""Check `udp` against real sockets: answers, silence and refusals."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from tests.health.shell.driven import outcome_of

from libra_health.asked.udp import asked
from libra_health.checks.udp import ANSWERS_LIMIT
from libra_health.outcome import Failed, Outcome, Passed, Reason
from libra_health.wire import Target
from libra_schemas import config as written

HOSTS = ["127.0.0.1", "::1"]
Answer = Callable[[bytes], Sequence[bytes]]


def bound(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    return sock


@contextmanager
def served(host: str, answer: Answer) -> Iterator[Target]:
    """Answer every datagram with those that `answer` gives."""
    with bound(host) as sock:

        def serve() -> None:
            while True:
                data, peer = sock.recvfrom(65536)
                if data == b"stop":
                    return
                for each in answer(data):
                    sock.sendto(each, peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Target(host, sock.getsockname()[1])
        with bound(host) as stopping:
            stopping.sendto(b"stop", sock.getsockname())
        thread.join(60)


def told(target: Target, spec: dict[str, Any], timeout: float = 30.0) -> Outcome:
    """Run a check as the config has it."""
    return outcome_of(target, asked(written.UdpSpec.model_validate(spec), target), timeout)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"send": "PING\n", "expect": "^PING\n$"}, id="text"),
        pytest.param({"send": "PI", "expect": "(P|I)+"}, id="a costly pattern"),
        pytest.param({"send_hex": "00 ff 0a", "expect_hex": "ff0a"}, id="hex"),
        pytest.param({"send": "PING", "silence": "fail"}, id="any answer"),
        pytest.param({"silence": "fail"}, id="an empty datagram"),
    ],
)
def test_an_answer_as_expected_passes(host: str, spec: dict[str, str]) -> None:
    with served(host, lambda data: [data]) as target:
        assert isinstance(told(target, spec), Passed)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("spec", [{}, {"send": "x", "expect": "y"}, {"silence": "pass"}])
def test_a_closed_port_is_refused_at_once(host: str, spec: dict[str, str]) -> None:
    with bound(host) as sock:
        target = Target(host, sock.getsockname()[1])
    outcome = told(target, spec)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.REFUSED
    assert outcome.latency < 10


@pytest.mark.parametrize("host", HOSTS)
def test_silence_decides_as_the_config_says(host: str) -> None:
    with bound(host) as sock:
        target = Target(host, sock.getsockname()[1])
        quiet = [told(target, spec, 0.2) for spec in ({}, {"expect": "y", "silence": "pass"})]
        failed = [told(target, spec, 0.2) for spec in ({"expect": "y"}, {"silence": "fail"})]
    assert {type(each) for each in quiet} == {Passed}
    assert [each.reason for each in failed if isinstance(each, Failed)] == [Reason.TIMEOUT] * 2


@pytest.mark.parametrize("host", HOSTS)
def test_a_wrong_answer_fails_with_what_came(host: str) -> None:
    with served(host, lambda _: [b"first", b"last\0"]) as target:
        outcome = told(target, {"expect": "^OK"}, 0.3)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.CONTENT
    assert outcome.detail == "/^OK/ not in the last of 2 answers, 'last\\x00'"


def test_a_right_answer_may_follow_wrong_and_empty_ones() -> None:
    with served("127.0.0.1", lambda _: [b"no", b"", b"OK"]) as target:
        assert isinstance(told(target, {"expect": "^OK"}), Passed)


def test_a_flood_of_wrong_answers_ends_the_run_before_its_timeout() -> None:
    with served("127.0.0.1", lambda _: [b""] * (3 * ANSWERS_LIMIT)) as target:
        outcome = told(target, {"send": "x", "expect": "^OK"})
    assert isinstance(outcome, Failed)
    assert outcome.detail == f"/^OK/ not in the last of {ANSWERS_LIMIT} answers, ''"


def test_nobody_but_the_backend_is_heard() -> None:
    with bound("127.0.0.1") as sock, bound("127.0.0.1") as stranger:

        def answer() -> None:
            _, peer = sock.recvfrom(65536)
            stranger.sendto(b"OK", peer)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        target = Target("127.0.0.1", sock.getsockname()[1])
        outcome = told(target, {"expect": "^OK"}, 0.5)
        thread.join(60)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.TIMEOUT
