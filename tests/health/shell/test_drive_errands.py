"""Programs and files as checks, from the config through the real driver."""

import os
import queue
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.health.shell.programs import (
    PATIENCE,
    eventually,
    is_gone,
    no_children_left,
    open_ground,
)

from libra_health.asked import spec_of
from libra_health.checks import TcpSpec
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.probes import Changes, Probe
from libra_health.shell.aside import PROGRAMS
from libra_health.shell.drive import Driver
from libra_health.wire import Target
from libra_schemas.config import CheckConfig

NOBODY = 65534
TARGET = Target("192.0.2.1", 80)


@dataclass
class Bench:
    """A driver and what it reported."""

    driver: Driver
    reports: queue.Queue[tuple[Probe, Outcome, float]]

    def run(self, *probes: Probe) -> None:
        changes = Changes((), probes, ())
        self.driver.call(lambda: self.driver.apply(changes, spread=False))

    def next(self) -> Outcome:
        return self.reports.get(timeout=PATIENCE)[1]

    def outcome_of(self, probe: Probe) -> Outcome:
        self.run(probe)
        return self.next()


@pytest.fixture
def bench() -> Iterator[Bench]:
    reports: queue.Queue[tuple[Probe, Outcome, float]] = queue.Queue()
    died: list[BaseException] = []
    driver = Driver(lambda *report: reports.put(report), died.append)
    with no_children_left():
        driver.start()
        yield Bench(driver, reports)
        driver.stop()
    assert died == []
    assert driver.aside.running == driver.aside.waiting == 0


@pytest.fixture
def ground() -> Iterator[Path]:
    """Give a directory that programs may write to."""
    with open_ground() as path:
        yield path


def probe(every: float = 60.0, timeout: float = 10.0, **check: Any) -> Probe:
    written = CheckConfig.model_validate(check)
    return Probe(TARGET, spec_of(written, TARGET), every, timeout)


def script(text: str, *, every: float = 60.0, timeout: float = 10.0, **more: Any) -> Probe:
    return probe(every, timeout, exec={"command": ["/bin/sh", "-c", text], **more})


def test_a_program_of_the_config_says_how_the_backend_is(bench: Bench, ground: Path) -> None:
    look = ground / "look"
    look.write_text(
        '#!/bin/sh\necho "$1 at $LIBRA_ADDRESS $LIBRA_PORT as $(id -u), $DEPTH"\nexit $DEPTH\n'
    )
    look.chmod(0o755)
    spec = {"command": [str(look), "all"], "environment": {"DEPTH": "3"}}
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    outcome = bench.outcome_of(probe(exec=spec))
    assert isinstance(outcome, Failed)
    assert outcome.detail == f"exit status 3: 'all at 192.0.2.1 80 as {user}, 3\\n'"


@pytest.mark.parametrize(
    ("text", "weight", "points"),
    [("exit 0", "status", None), ("exit 32", "status", 30), ("echo 70", "stdout", 70)],
)
def test_a_program_says_the_weight(
    bench: Bench, text: str, weight: str, points: int | None
) -> None:
    outcome = bench.outcome_of(script(text, weight=weight))
    assert isinstance(outcome, Passed)
    assert outcome.weight == points


def test_a_failure_tells_what_the_program_complained_of(bench: Bench) -> None:
    outcome = bench.outcome_of(script("echo cannot open config >&2; exit 1"))
    assert isinstance(outcome, Failed)
    assert outcome.detail == "exit status 1: 'cannot open config\\n'"


def test_what_a_program_complains_of_is_no_weight(bench: Bench) -> None:
    outcome = bench.outcome_of(script("echo 1 >&2; echo 70", weight="stdout"))
    assert isinstance(outcome, Passed)
    assert outcome.weight == 70


def test_a_missing_program_is_our_trouble(bench: Bench) -> None:
    outcome = bench.outcome_of(probe(exec={"command": ["/nowhere/look"]}))
    assert outcome == Errored(Reason.LOCAL, "/nowhere/look: No such file or directory")


def test_a_timeout_kills_the_whole_group(bench: Bench, ground: Path) -> None:
    inner = f"echo $$ >> {ground}/pids; sleep 99"
    text = f"trap '' TERM HUP; ( sh -c '{inner}' & sh -c '{inner}' ) & {inner}"
    outcome = bench.outcome_of(script(text, timeout=1.0))
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.detail) == (Reason.TIMEOUT, "did not end in time")
    assert 1.0 <= outcome.latency < 1.5
    pids = [int(line) for line in (ground / "pids").read_text().split()]
    assert len(pids) == 3
    eventually(lambda: all(map(is_gone, pids)))


def test_one_that_always_hangs_is_run_again_and_again(bench: Bench) -> None:
    bench.run(script("sleep 99", every=0.1, timeout=0.1))
    outcomes = [bench.next() for _ in range(5)]
    assert all(isinstance(each, Failed) and each.reason is Reason.TIMEOUT for each in outcomes)
    assert bench.driver.aside.running <= 2


def test_200_at_once_all_find_a_place(bench: Bench) -> None:
    bench.run(*(script(f"sleep 0.05; exit {n}", weight="status") for n in range(2, 202)))
    outcomes = [bench.next() for _ in range(200)]
    weights = [each.weight for each in outcomes if isinstance(each, Passed)]
    assert sorted(weight for weight in weights if weight is not None) == list(range(200))


def test_without_a_place_in_time_nothing_is_said_about_the_backend(bench: Bench) -> None:
    bench.run(*(script(f"sleep 99; {n}") for n in range(PROGRAMS)))
    eventually(lambda: bench.driver.aside.running == PROGRAMS)
    assert bench.outcome_of(script("true", timeout=0.2)) == Errored(
        Reason.LOCAL, "64 programs run already, and none ended in time"
    )
    assert bench.driver.aside.waiting == 0


def test_programs_that_hang_hold_up_no_other_check(bench: Bench) -> None:
    bench.run(*(script(f"sleep 99; {n}") for n in range(PROGRAMS)))
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = Target("127.0.0.1", server.getsockname()[1])
        bench.run(Probe(target, TcpSpec(), 0.05, 0.05))
        outcomes = [bench.next() for _ in range(10)]
    assert all(isinstance(each, Passed) for each in outcomes)


def test_a_probe_that_goes_takes_its_program_along(bench: Bench, ground: Path) -> None:
    goes = script(f"echo $$ > {ground}/pids; sleep 99")
    bench.run(goes)
    eventually(lambda: (ground / "pids").exists() and bool((ground / "pids").read_text()))
    bench.driver.call(lambda: bench.driver.apply(Changes((goes,), (), ()), spread=False))
    eventually(lambda: is_gone(int((ground / "pids").read_text())))
    eventually(lambda: bench.driver.aside.running == 0)
    assert bench.reports.empty()


def test_what_a_file_says_is_heard_at_the_next_look(bench: Bench, ground: Path) -> None:
    path, new = ground / "w1", ground / "new"
    bench.run(probe(0.02, 0.02, file={"path": str(path), "weight": True, "missing": "down"}))
    assert isinstance(missing := bench.next(), Failed)
    assert missing.reason is Reason.CONTENT
    for weight in (30, 0, 65535):
        new.write_text(f"{weight}\n")
        new.replace(path)
        while getattr(bench.next(), "weight", None) != weight:
            pass
    path.unlink()
    eventually(lambda: isinstance(bench.next(), Failed))


def test_a_file_being_rewritten_by_renaming_never_says_anything_else(
    bench: Bench, ground: Path
) -> None:
    path, new = ground / "w1", ground / "new"
    path.write_text("1")
    bench.run(probe(0.005, 0.005, file={"path": str(path), "weight": True}))
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        new.write_text("12345")
        new.replace(path)
    outcomes = [bench.next() for _ in range(50)]
    passed = {each.weight for each in outcomes if isinstance(each, Passed)}
    assert 12345 in passed <= {1, 12345}
    late = [each for each in outcomes if not isinstance(each, Passed)]  # on a busy machine
    assert all(isinstance(each, Errored) and "in time" in each.detail for each in late)


def test_a_fifo_is_no_file_and_holds_nothing_up(bench: Bench, ground: Path) -> None:
    os.mkfifo(ground / "fifo")
    outcome = bench.outcome_of(probe(file={"path": str(ground / "fifo")}))
    assert outcome == Errored(Reason.LOCAL, f"{ground}/fifo: not a file with content")


def test_a_stale_file_fails(bench: Bench, ground: Path) -> None:
    path = ground / "w1"
    path.write_text("up")
    os.utime(path, (0, time.time() - 100))
    outcome = bench.outcome_of(probe(file={"path": str(path), "older_than": "1m"}))
    assert isinstance(outcome, Failed)
    assert outcome.detail == f"{path}: not written for 100 s, longer than 60 s"
