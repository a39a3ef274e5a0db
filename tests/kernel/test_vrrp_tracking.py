"""Tracked objects move addresses between two nodes, by a real nats-server, and say why."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from tests.kernel.test_vrrp_events import CONFIG, Log
from tests.kernel.test_vrrp_preempt import fresh

from libra_schemas.canonical import digest
from libra_schemas.events import ConfigApplied

if TYPE_CHECKING:
    from tests.kernel.conftest import Pair

pytestmark = pytest.mark.network

PAIR = 2
PRIORITY = "priority 90 instead of 150: -60 "


class Tracker:
    """Node a with a log, and b without one; what a tracks is written into its config."""

    def __init__(self, pair: "Pair", log: Log, directory: Path) -> None:
        self.pair = pair
        self.log = log
        self.directory = directory
        self._number = 0

    def track(self, **written: Any) -> None:
        """Have a track this from now on."""
        self._number += 1
        document = json.loads(json.dumps(CONFIG))
        document["instances"]["front"]["track"] = written
        applied = ConfigApplied(
            number=self._number, hash=digest(document), document=document, author="test"
        )
        self.log.say("console", "config.applied", ("cluster",), applied)

    def program(self, name: str, script: str, **written: Any) -> dict[str, Any]:
        """Write a program; return how it is tracked, often."""
        file = self.directory / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        told = {"command": [str(file)], "every": "200ms", "rise": 1, "fall": 1}
        return {"programs": {name: told | written}}

    def owner_is(self, name: str) -> None:
        """Wait until one node alone owns the address."""
        self.pair.soon(lambda: self.pair.owners() == [name], f"{name} alone owns the address")


@pytest.fixture
def directory() -> Iterator[Path]:
    """Make a place that nobody is kept out of: pytest's own are root's alone."""
    with TemporaryDirectory(prefix="libra-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def tracker(pair: "Pair", tmp_path: Path, directory: Path) -> Iterator[Tracker]:
    """Start libra-vrrp on both, a by a log; a is master."""
    log = Log(pair.a, tmp_path / "nats")
    (pair.a.state / "vrrp" / "routers.jsonl").unlink()
    made = Tracker(pair, log, directory)
    pair.a.start()
    pair.b.start()
    made.track()
    made.owner_is("a")
    yield made
    pair.a.stop()
    log.server.stop()
    assert left_behind(directory) == []


def left_behind(directory: Path) -> list[int]:
    """Return the processes that run a program of this directory, zombies too."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if str(directory).encode() in line:
                found.append(int(process.name))
    return found


def test_a_program_that_fails_moves_the_address_and_its_healing_moves_it_back(
    tracker: Tracker,
) -> None:
    broken = tracker.directory / "broken"
    script = f"if [ -e {broken} ]; then echo first; echo no route; exit 1; fi"
    tracker.track(**tracker.program("gw", script, weight=-60))
    broken.touch()
    tracker.owner_is("b")
    tracker.pair.soon(lambda: tracker.log.states()[-1].state == "backup", "the log knows it")
    why = tracker.log.states()[-1]
    assert why.why == "higher-priority"
    assert why.detail.endswith(f"{PRIORITY}(program gw: exit status 1: no route)")
    broken.unlink()
    tracker.owner_is("a")


def test_a_program_without_a_weight_is_a_fault_and_says_so(tracker: Tracker) -> None:
    tracker.track(**tracker.program("gw", "echo no route; exit 7"))
    tracker.owner_is("b")
    tracker.pair.soon(lambda: tracker.log.states()[-1].state == "fault", "the log knows it")
    fault = tracker.log.states()[-1]
    assert (fault.why, fault.detail) == ("track", "program gw: exit status 7: no route")
    tracker.track()
    tracker.owner_is("a")


def test_a_program_that_hangs_and_forks_is_killed_with_all_that_it_started(
    tracker: Tracker,
) -> None:
    script = f"{tracker.directory}/child & {tracker.directory}/child"
    child = tracker.directory / "child"
    child.write_text("#!/bin/sh\nwhile :; do sleep 60; done\n")
    child.chmod(0o755)
    tracker.track(**tracker.program("gw", script, timeout="200ms"))
    tracker.owner_is("b")
    tracker.pair.soon(lambda: tracker.log.states()[-1].state == "fault", "the log knows it")
    assert tracker.log.states()[-1].detail == "program gw: not ended within 0.2 s"
    tracker.track()
    tracker.owner_is("a")
    tracker.pair.soon(lambda: left_behind(tracker.directory) == [], "nothing is left")


def test_a_dead_reporters_values_hold_and_the_next_one_kills_what_it_left(
    tracker: Tracker,
) -> None:
    seldom = {"every": "300s", "timeout": "300s"}
    fails = tracker.program("gw", "exit 1", weight=-60, **seldom)
    hangs = tracker.program("hangs", "sleep 1000 & exec sleep 1000", **seldom)
    tracker.track(programs=fails["programs"] | hangs["programs"])
    tracker.owner_is("b")
    tracker.pair.soon(lambda: len(sleepers(tracker)) == PAIR, "it hangs, and what it started")
    left, before = sleepers(tracker), tracker.pair.a.pid("reporter")
    tracker.pair.a.signal(signal.SIGKILL, "reporter")
    tracker.pair.soon(lambda: tracker.pair.a.pid("reporter") not in {None, before}, "a new one")
    assert tracker.pair.owners() == ["b"]
    tracker.pair.soon(lambda: not set(left) & set(sleepers(tracker)), "what it left is gone")
    tracker.pair.soon(lambda: len(sleepers(tracker)) == PAIR, "the new one runs it")
    assert tracker.pair.owners() == ["b"]


def sleepers(tracker: Tracker) -> list[int]:
    """Return the processes on node a that run `sleep 1000`."""
    found = []
    for process in tracker.pair.a.node.processes():
        with suppress(OSError):
            if Path(f"/proc/{process}/cmdline").read_bytes() == b"sleep\x001000\x00":
                found.append(process)
    return found


def test_a_program_that_flaps_faster_than_fall_moves_nothing(tracker: Tracker) -> None:
    turn = tracker.directory / "turn"
    script = f"if rmdir {turn} 2>/dev/null; then exit 1; fi; mkdir {turn}"
    tracker.directory.chmod(0o777)
    tracker.track(**tracker.program("gw", script, weight=-60, fall=2))
    tracker.pair.soon(turn.exists, "it runs")
    changes = len(tracker.log.states())
    for _ in range(3):
        tracker.pair.soon(lambda: not turn.exists(), "it fails")
        tracker.pair.soon(turn.exists, "it succeeds")
    assert tracker.pair.owners() == ["a"]
    assert len(tracker.log.states()) == changes


def test_a_program_that_is_not_there_is_told_in_one_sentence(tracker: Tracker) -> None:
    tracker.track(programs={"gw": {"command": ["/no/such"], "fall": 1, "weight": -60}})
    tracker.owner_is("b")
    tracker.pair.soon(lambda: tracker.log.states()[-1].state == "backup", "the log knows it")
    said = tracker.log.states()[-1].detail
    assert said.endswith(f"{PRIORITY}(program gw: cannot be run: No such file or directory)")


def test_a_file_moves_the_priority_by_what_it_says(tracker: Tracker) -> None:
    file = tracker.directory / "hand"
    tracker.track(files={"hand": {"path": str(file), "weight": 2, "every": "100ms"}})
    file.write_text("-30\n")
    tracker.owner_is("b")
    file.write_text("nonsense")
    time.sleep(0.5)
    tracker.owner_is("b")
    file.unlink()
    tracker.owner_is("a")


def test_an_interface_with_a_weight_moves_the_address(tracker: Tracker) -> None:
    node = tracker.pair.a.node
    node.run("ip", "link", "add", "eth7", "type", "veth", "peer", "name", "eth8")
    node.run("ip", "link", "set", "eth8", "up")
    node.run("ip", "link", "set", "eth7", "up")
    tracker.track(interfaces=[{"name": "eth7", "weight": -60}])
    node.run("ip", "link", "set", "eth7", "down")
    tracker.owner_is("b")
    node.run("ip", "link", "set", "eth7", "up")
    tracker.owner_is("a")


def test_the_end_of_a_process_moves_the_address(tracker: Tracker) -> None:
    daemon = tracker.directory / "a-daemon-of-ours"
    daemon.write_text("#!/bin/sh\nwhile :; do sleep 60; done\n")
    daemon.chmod(0o755)
    running = tracker.pair.a.node.popen([str(daemon)])
    tracker.track(processes={"ours": {"name": "a-daemon-of-ours"}})
    tracker.owner_is("a")
    running.kill()
    running.wait()
    tracker.owner_is("b")
    tracker.pair.soon(lambda: tracker.log.states()[-1].state == "fault", "the log knows it")
    assert tracker.log.states()[-1].detail == "process a-daemon-of-ours: 0 of 1 running"
    running = tracker.pair.a.node.popen([str(daemon)])
    tracker.owner_is("a")
    running.kill()
    running.wait()


def test_an_interface_counts_once_it_has_been_down_or_up_for_long_enough(tracker: Tracker) -> None:
    node, pair = tracker.pair.a.node, tracker.pair
    node.run("ip", "link", "add", "eth7", "type", "veth", "peer", "name", "eth8")
    node.ip("link set eth8 up", "link set eth7 up")
    debounced = {"name": "eth7", "weight": -60, "down_for": "2s", "up_for": "2s"}
    tracker.track(interfaces=[debounced])
    kept = pair.a.state / "vrrp" / "routers.jsonl"
    pair.soon(lambda: "eth7" in kept.read_text(), "the machine is told")
    with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.1") as said:
        node.ip("link set eth7 down", "link set eth7 up")
        pair.soon(lambda: len(said.lines) > 12, "three seconds pass")
        assert all("prio 150" in line for line in said.lines)
    for name, state in (("b", "down"), ("a", "up")):
        before = time.monotonic()
        node.ip(f"link set eth7 {state}")
        tracker.owner_is(name)
        assert time.monotonic() - before >= 2.0


def test_a_copy_of_the_connections_that_is_short_for_long_enough_moves_the_address(
    tracker: Tracker,
) -> None:
    tracker.track(sync={"coverage": 80, "weight": -60, "down_for": "2s"})
    kept = tracker.pair.a.state / "vrrp" / "tracked.json"
    tracker.pair.soon(lambda: '"coverage": 80' in kept.read_text(), "it is tracked")
    fresh(tracker.log, 0.95)
    before = time.monotonic()
    fresh(tracker.log, 0.5)
    tracker.owner_is("b")
    assert time.monotonic() - before >= 2.0
    tracker.pair.soon(lambda: tracker.log.states()[-1].state == "backup", "the log knows it")
    said = tracker.log.states()[-1].detail
    assert said.endswith(f"{PRIORITY}(50.0% of the peer's connections are here)")
    fresh(tracker.log, 0.81)
    tracker.owner_is("a")
