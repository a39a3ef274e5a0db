"""What the board says, whatever the log is slow to give back."""

import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.tcp import TcpSpec
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.probes import Changes, Probe
from libra_health.shell.board import Board, Told
from libra_health.shell.drive import Driver
from libra_health.verdict.blast import Guard
from libra_health.verdict.damping import Damping
from libra_health.verdict.policy import Policy
from libra_health.verdict.stand import Known, Stand
from libra_health.verdict.watch import Key, Lookout, Watch
from libra_health.wire import Target

PATIENCE = 60.0
UP = Stand(up=True)
REFUSED = Failed(Reason.REFUSED, "ECONNREFUSED")


def watch(port: int) -> Watch:
    probe = Probe(Target("127.0.0.1", port), TcpSpec(), 1e6, 1.0)
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
    said = [(each.verdict.watch.port, each.verdict.stand.up) for (each,) in told]
    assert said == [(80, False), (81, False), (80, False)]


def test_a_verdict_that_stands_is_not_said_again_by_an_apply(driver: Driver) -> None:
    told: list[tuple[Told, ...]] = []
    board = Board(told.append)
    board.hear({("web", "w1"): Known("digest of 80", watch(80).place, Stand(up=False))})
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


class Pool:
    """A board with a pool of backends, whose results the test says, and a driver that runs."""

    def __init__(self, policy: Policy, size: int = 4) -> None:
        self.said: queue.Queue[Told] = queue.Queue()
        self.driver = Driver(lambda *_: None, lambda _: None)
        self.board = Board(self._note)
        self.watches = tuple(
            replace(watch(port), key=("web", f"w{port}"), policy=policy)
            for port in range(1, size + 1)
        )
        self.driver.start()

    def _note(self, told: tuple[Told, ...]) -> None:
        for each in told:
            self.said.put(each)

    def begin(self, stand: Stand | None = UP) -> None:
        known = {w.key: Known(w.digest, w.place, stand) for w in self.watches} if stand else {}
        self.driver.call(lambda: self.board.hear(known))
        self.apply(self.watches)

    def apply(self, watches: tuple[Watch, ...]) -> None:
        self.driver.call(lambda: self.board.apply(self.driver, watches, "1"))

    def tell(self, number: int, outcome: Outcome) -> None:
        probe = self.watches[number - 1].lookouts[0].probe
        self.driver.call(lambda: self.board.report(probe, outcome, time.monotonic()))

    def next(self) -> tuple[str, str, int | None]:
        verdict = self.said.get(timeout=PATIENCE).verdict
        return verdict.type, verdict.watch.key[1], verdict.stand.weight

    def is_silent(self, seconds: float) -> bool:
        try:
            self.said.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


@pytest.fixture
def pool_of() -> Iterator[Callable[..., Pool]]:
    made: list[Pool] = []

    def make(**policy: Any) -> Pool:
        made.append(Pool(Policy(weight=100, **policy)))
        return made[-1]

    yield make
    for pool in made:
        pool.driver.stop()


SILENT, PASSED = Failed(Reason.TIMEOUT, "no answer"), Passed(0.01)


def test_no_more_of_a_pool_goes_than_the_guard_allows_until_there_is_room(
    pool_of: Callable[..., Pool],
) -> None:
    pool = pool_of(guard=Guard(2, 1.0))
    pool.begin()
    for number in (1, 2, 3):
        pool.tell(number, SILENT)
    assert [pool.next() for _ in range(3)] == [
        ("backend.down", "w1", None), ("backend.down", "w2", None), ("backend.held", "w3", 1),
    ]  # fmt: skip
    pool.tell(4, REFUSED)
    assert pool.next() == ("backend.down", "w4", None)
    assert pool.next() == ("backend.down", "w3", None)  # by time alone


def test_what_is_withheld_is_let_go_by_room_and_kept_by_a_pass(
    pool_of: Callable[..., Pool],
) -> None:
    pool = pool_of(guard=Guard(1, 3600.0))
    pool.begin()
    for number in (1, 2, 3):
        pool.tell(number, SILENT)
    assert [pool.next()[:2] for _ in range(3)] == [
        ("backend.down", "w1"), ("backend.held", "w2"), ("backend.held", "w3"),
    ]  # fmt: skip
    pool.tell(3, PASSED)
    assert pool.next() == ("backend.up", "w3", None)
    pool.tell(1, PASSED)
    assert [pool.next() for _ in range(2)] == [
        ("backend.up", "w1", None), ("backend.down", "w2", None),
    ]  # fmt: skip


def test_what_is_withheld_and_then_refuses_goes(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(guard=Guard(0, 3600.0))
    pool.begin()
    pool.tell(1, SILENT)
    assert pool.next() == ("backend.held", "w1", 1)
    pool.tell(1, SILENT)
    pool.tell(1, REFUSED)
    assert pool.next() == ("backend.down", "w1", None)


def test_when_every_backend_refuses_all_go(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(guard=Guard(1, 3600.0))
    pool.begin()
    for number in range(1, 5):
        pool.tell(number, REFUSED)
    assert {pool.next()[:2] for _ in range(4)} == {("backend.down", f"w{n}") for n in range(1, 5)}


@pytest.mark.parametrize("guard", [None, Guard(3, 3600.0)])
def test_an_apply_that_widens_the_guard_lets_go(
    pool_of: Callable[..., Pool], guard: Guard | None
) -> None:
    pool = pool_of(guard=Guard(1, 3600.0))
    pool.begin()
    for number in (1, 2):
        pool.tell(number, SILENT)
    assert [pool.next()[0] for _ in range(2)] == ["backend.down", "backend.held"]
    wider = Policy(weight=100, guard=guard)
    pool.apply(tuple(replace(each, policy=wider) for each in pool.watches))
    assert pool.next() == ("backend.down", "w2", None)


def test_a_hold_by_damping_is_ended_by_time_alone(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(damping=Damping(3, 60.0, 0.5))
    pool.begin()
    for outcome in (SILENT, PASSED, SILENT, PASSED):
        pool.tell(1, outcome)
    assert [pool.next()[0] for _ in range(3)] == ["backend.down", "backend.up", "backend.down"]
    began = time.monotonic()
    assert pool.next() == ("backend.up", "w1", None)
    assert time.monotonic() - began > 0.3
    assert pool.is_silent(0.0)


def test_a_slow_start_goes_on_by_time_alone(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(slow_start=1.0)
    pool.begin(Stand(up=False))
    pool.tell(1, PASSED)
    said = [pool.next() for _ in range(11)]
    assert [kind for kind, _, _ in said] == ["backend.up"] + ["backend.weight"] * 10
    assert [weight for *_, weight in said] == [10, 19, 28, 37, 46, 55, 64, 73, 82, 91, None]
    assert pool.is_silent(0.3)


def test_a_new_backend_of_a_pool_at_work_starts_slowly_and_a_whole_new_pool_does_not(
    pool_of: Callable[..., Pool],
) -> None:
    pool = pool_of(slow_start=3600.0)
    pool.begin(None)
    pool.apply(pool.watches[:3])
    for number in (1, 2, 3):
        pool.tell(number, PASSED)
    assert [pool.next()[2] for _ in range(3)] == [None] * 3
    pool.apply(pool.watches)
    pool.tell(4, PASSED)
    assert pool.next() == ("backend.up", "w4", 10)


def test_the_weights_that_a_check_gives_are_told_at_a_bounded_pace_and_the_last_one_wins(
    pool_of: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libra_health.verdict.ruling.PAUSE", 0.5)
    pool = pool_of()
    pool.begin()
    for weight in range(50, 80):
        pool.tell(1, Passed(0.01, weight))
    assert [pool.next() for _ in range(2)] == [
        ("backend.weight", "w1", 50), ("backend.weight", "w1", 79),
    ]  # fmt: skip
    assert pool.is_silent(0.7)


class Clockless:
    """Stands in for a driver of which the test is the clock: nothing wakes by itself."""

    probes: tuple[Probe, ...] = ()

    def apply(self, changes: Changes, *, spread: bool) -> None:
        """Probe nothing."""

    def call_at(self, when: float, work: Callable[[], None]) -> None:
        """Wake nobody."""


RESULTS = st.tuples(st.floats(0, 30), st.integers(1, 4), st.sampled_from([SILENT, PASSED, REFUSED]))


@given(st.lists(RESULTS, max_size=40), st.integers(0, 3))
def test_whatever_comes_the_guard_keeps_its_word(
    results: list[tuple[float, int, Outcome]], most: int
) -> None:
    guard, told = Guard(most, 60.0), list[Told]()
    board = Board(told.extend)
    policy = Policy(weight=100, guard=guard)
    watches = tuple(replace(watch(n), key=("web", f"w{n}"), policy=policy) for n in range(1, 5))
    board.hear({each.key: Known(each.digest, each.place, UP) for each in watches})
    board.apply(cast("Driver", Clockless()), watches, "1")
    now, gone = 1e6, dict[Key, float]()
    for pause, number, outcome in results:
        now += pause
        del told[:]
        board.report(watches[number - 1].lookouts[0].probe, outcome, now)
        for each in told:
            key, stand = each.verdict.watch.key, each.verdict.stand
            gone = {k: when for k, when in gone.items() if k != key}
            if not stand.up:
                refused = [seen.outcome for seen in each.verdict.findings if seen] == [REFUSED]
                recent = [when for when in gone.values() if now < when + guard.within]
                assert refused or len(recent) < most
                gone[key] = now
        held = [key for key, tally in board.tallies.items() if tally.said and tally.said.held]
        if held and told:
            assert len([when for when in gone.values() if now < when + guard.within]) >= most
