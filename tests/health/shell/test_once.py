import socket
from collections.abc import Callable

import pytest

from libra_health import checks
from libra_health.checks import TcpSpec
from libra_health.outcome import Failed, Passed
from libra_health.probes import Probe
from libra_health.shell.once import WINDOW, Once
from libra_health.wire import Effect, Input, Target


def test_probes_that_differ_in_how_often_they_run_are_run_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = Target("127.0.0.1", server.getsockname()[1])
        often, seldom = (Probe(target, TcpSpec(), every, 0.5) for every in (1.0, 60.0))
        asked: list[object] = []
        once = Once([often, seldom], lambda _, event: asked.append(type(event).__name__))
        once.run()
    assert isinstance(once.of(often), Passed)
    assert once.of(often) is once.of(seldom)
    assert asked == ["Connect", "Connected"]


def test_more_than_run_at_a_time_are_all_run() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        probes = [
            Probe(Target(f"127.0.{n}.1", port), TcpSpec(), 1.0, 0.5) for n in range(2 * WINDOW + 1)
        ]
        once = Once(probes)
        once.run()
    assert {type(once.of(probe)) for probe in probes} == {Failed}


def test_nothing_to_run_is_nothing_to_wait_for() -> None:
    Once([]).run()


def test_a_driver_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> tuple[Effect | Input, ...]:
        raise RuntimeError("we are wrong")

    name: tuple[str, Callable[..., object]] = ("tcp", broken)
    monkeypatch.setitem(checks.STARTS, TcpSpec, name)
    once = Once([Probe(Target("127.0.0.1", 1), TcpSpec(), 1.0, 0.5)])
    with pytest.raises(RuntimeError, match="we are wrong"):
        once.run()
