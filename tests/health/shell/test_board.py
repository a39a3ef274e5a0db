"""What the board says, whatever the log is slow to give back."""

from collections.abc import Callable, Iterator

import pytest

from libra_health.checks.tcp import TcpSpec
from libra_health.outcome import Errored, Failed, Reason
from libra_health.probes import Lookout, Probe, Watch
from libra_health.shell.board import Board, Told
from libra_health.shell.drive import Driver
from libra_health.wire import Target

REFUSED = Failed(Reason.REFUSED, "ECONNREFUSED")


def watch(port: int) -> Watch:
    probe = Probe(Target("127.0.0.1", port), TcpSpec(), 3600.0, 1.0)
    lookouts = (Lookout(probe, 1, 1, "tcp"),)
    return Watch(("web", "w1"), "127.0.0.1", port, "tcp", f"digest of {port}", lookouts)


@pytest.fixture
def driver() -> Iterator[Driver]:
    """Make a driver whose thread ends at once: it only holds what it is given."""
    made = Driver(lambda *_: None, lambda _: None)
    yield made
    made.start()
    made.stop()


def test_a_verdict_that_another_config_replaced_is_said_again_when_that_config_returns(
    driver: Driver,
) -> None:
    told: list[tuple[Told, ...]] = []
    board = Board(told.append)
    board.hear({})
    for number, port in enumerate((80, 81, 80)):
        board.apply(driver, (watch(port),), str(number))
        board.report(watch(port).lookouts[0].probe, REFUSED, float(number))
    said = [(each.verdict.watch.port, each.verdict.up) for (each,) in told]
    assert said == [(80, False), (81, False), (80, False)]


def test_a_verdict_that_stands_is_not_said_again_by_an_apply(driver: Driver) -> None:
    told: list[tuple[Told, ...]] = []
    board = Board(told.append)
    board.hear({("web", "w1"): ("digest of 80", False)})
    for number in range(3):
        board.apply(driver, (watch(80),) if number != 1 else (), str(number))
    board.report(watch(80).lookouts[0].probe, REFUSED, 1.0)
    assert told == []


def test_a_check_that_cannot_be_run_is_known_until_it_runs_or_is_wanted_no_more(
    driver: Driver,
) -> None:
    board = Board(lambda _: None)
    unable = Errored(Reason.NO_ROUTE, "ENETUNREACH")
    probe = watch(80).lookouts[0].probe
    ends: tuple[Callable[[], None], ...] = (
        lambda: board.report(probe, REFUSED, 1.0),
        lambda: board.apply(driver, (), "2"),
    )
    for end in ends:
        board.apply(driver, (watch(80),), "1")
        board.report(probe, unable, 0.0)
        assert board.unable == {probe: unable}
        end()
        assert board.unable == {}
