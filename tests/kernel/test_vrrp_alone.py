"""Two directors with nothing but libra-vrrp and one file: no NATS, no other service."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.kernel.conftest import WITHOUT_KILL, Director, Pair
from tests.kernel.stages import restarted
from tests.kernel.test_vrrp_events import APPLIED, FAILOVER, Log

from libra_runtime.healthcheck import trouble

pytestmark = pytest.mark.network

PORT = 9642
CONFIG_WRONG = 78
"""What a unit names in `RestartPreventExitStatus`."""
CONFIG = """\
version: 1
nodes: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}}
instances:
  front:
    interface: eth0
    vrid: 51
    interval: 250ms
    preempt: true
    priority: {a: 150, b: 100}
    addresses: [192.0.2.10/24]
    track:
      programs:
        brake:
          command: [/bin/sh, -c, "test ! -e BRAKE-$LIBRA_NODE"]
          every: 200ms
          rise: 1
          fall: 1
          weight: -100
"""


@dataclass
class Lone(Director):
    """A director that has nothing but a file."""

    config: Path = Path()
    said: IO[str] | None = None

    def start(self, log: IO[str] | None = None) -> None:
        """Start it as an operator would; it writes to `log`, or to a file of its own."""
        told = {"LIBRA_STATE": str(self.state), **self.environment}
        plain = {name: value for name, value in os.environ.items() if not name.startswith("LIBRA")}
        argv = [*self.wrapper, sys.executable, "-m", "libra_vrrp", "--config", str(self.config)]
        if self.said is None:
            self.said = log or (self.config.parent / f"{self.node.name}.log").open("w")
        self.parent = self.node.popen(
            [*argv, "--node", self.node.name],
            environment=plain | told,
            stderr=self.said,
        )

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return what was logged of a kind."""
        assert self.said is not None
        lines = Path(self.said.name).read_text().splitlines()
        found: list[dict[str, Any]] = []
        for line in lines:
            with suppress(ValueError):
                found.append(json.loads(line))
        return [one for one in found if one.get("event") == event]

    def decided(self) -> list[tuple[str, str]]:
        """Return the transitions that were logged, each with its reason."""
        found = self.lines("decided")
        aside = {"vrrp.priority", "vrrp.follows"}
        return [(one["type"], one["why"]) for one in found if one["type"] not in aside]

    def metric(self, name: str) -> float:
        """Return a figure, 0 where there is none, or nobody yet who tells it."""
        return scraped(self).get(name, 0.0)

    def health(self) -> str | None:
        """Return what the health check complains of."""
        return self.node.call(trouble, PORT)


def scraped(director: Director) -> dict[str, float]:
    """Return every figure at a director's port 9642, none where nobody tells any yet."""

    def read() -> str:
        try:
            with urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=60) as answer:
                return str(answer.read(), "ascii")
        except URLError:
            return ""

    lines = (line.rpartition(" ") for line in director.node.call(read).splitlines())
    return {name: float(figure) for name, _, figure in lines if not name.startswith("#")}


@pytest.fixture
def lone(pair: Pair) -> Iterator[Pair]:
    """Make both directors lone ones of one file, in a place that nobody is kept out of."""
    with TemporaryDirectory(prefix="libra-") as made:
        place = Path(made)
        place.chmod(0o755)
        file = place / "libra.yaml"
        file.write_text(CONFIG.replace("BRAKE", str(place / "brake")))
        pair.a = Lone(pair.a.node, place / "state-a", pair.a.order, config=file)
        pair.b = Lone(pair.b.node, place / "state-b", pair.b.order, config=file)
        yield pair
        for director in (pair.a, pair.b):
            if director.parent is not None:
                director.stop()
                director.parent = None
            if isinstance(director, Lone) and director.said is not None:
                director.said.close()


def lone_ones(pair: Pair) -> tuple[Lone, Lone]:
    """Return the directors."""
    assert isinstance(pair.a, Lone)
    assert isinstance(pair.b, Lone)
    return pair.a, pair.b


def test_two_alone_hand_over_when_killed_and_when_stopped_and_say_why(lone: Pair) -> None:
    a, b = lone_ones(lone)
    lone.start()
    lone.soon(lone.pings, "the client is answered")
    lone.soon(lambda: a.metric("libra_vrrp_advert_late_seconds_count") > 5, "adverts are timed")
    assert a.metric('libra_vrrp_advert_late_seconds_bucket{le="+Inf"}') > 5
    a.signal(signal.SIGKILL, "machine", "parent")
    lone.soon(lambda: lone.is_owned_by("b"), "b alone owns the address")
    noticed = {("vrrp.master", "tether"), ("vrrp.master", "timer")}
    lone.soon(lambda: noticed & set(b.decided()[-1:]), "b says that it is master")
    assert a.parent is not None
    a.parent.wait()
    a.start()
    lone.soon(lambda: lone.is_owned_by("a"), "a has it back")
    lone.soon(lambda: b.decided()[-1:] == [("vrrp.backup", "higher-priority")], "b says so")
    a.stop()
    lone.soon(lambda: lone.is_owned_by("b"), "b alone owns the address again")
    lone.soon(lambda: b.decided()[-1:] == [("vrrp.master", "priority-zero")], "b says why")
    assert a.decided()[-1] == ("vrrp.stopped", "stop")
    assert b.health() is None


@pytest.mark.parametrize("wrapper", [(), WITHOUT_KILL], ids=["as root", "without CAP_KILL"])
def test_the_file_is_read_again_when_told_and_a_bad_one_changes_nothing(
    lone: Pair, wrapper: tuple[str, ...]
) -> None:
    a, b = lone_ones(lone)
    a.wrapper = wrapper
    lone.start()
    good = a.config.read_text()
    a.config.write_text(good.replace("vrid: 51", "vrid: 510"))
    a.signal(signal.SIGHUP, "parent")
    lone.soon(lambda: "libra.yaml:6:11: instances.front.vrid" in str(a.health()), "a says where")
    assert a.owns()
    a.config.write_text(good.replace("a: 150", "a: 90"))
    a.signal(signal.SIGHUP, "parent")
    lone.soon(lambda: lone.is_owned_by("b"), "b is preferred now")
    assert a.health() is None
    assert b.lines("config read")[1:] == []


def test_a_bad_file_ends_neither_a_master_nor_a_backup_that_is_upgraded(lone: Pair) -> None:
    a, b = lone_ones(lone)
    lone.start()
    a.config.write_text(a.config.read_text().replace("vrid: 51", "vrid: 510"))
    for one in (b, a):
        before = one.pid("machine")
        one.signal(signal.SIGUSR2, "parent")
        restarted(one, before)
        lone.soon(partial(one.lines, "config not accepted, going on as before"), "it is told")
        assert one.parent is not None
        assert one.parent.poll() is None
    lone.soon(lambda: lone.is_owned_by("a"), "a has the address")
    assert b.parent is not None
    b.signal(signal.SIGUSR1, "parent")
    assert b.parent.wait() == 0
    b.start()
    lone.soon(lambda: b.lines("config not accepted, going on as before")[1:], "b goes on too")
    b.stop()
    b.start()
    assert b.parent.wait() == CONFIG_WRONG


def test_what_a_service_that_leaves_hands_over_is_told_as_stopped(lone: Pair) -> None:
    a, b = lone_ones(lone)
    lone.start()
    lone.soon(lambda: [kind for kind, _ in a.decided()][-1:] == ["vrrp.master"], "a says so")
    assert a.parent is not None
    a.signal(signal.SIGUSR1, "parent")
    assert a.parent.wait() == 0
    assert a.decided()[-1] == ("vrrp.stopped", "stop")
    lone.soon(lambda: b.decided()[-1:] == [("vrrp.master", "priority-zero")], "b has it")


def test_what_is_tracked_counts_without_anybody_else(lone: Pair) -> None:
    a, _ = lone_ones(lone)
    lone.start()
    (a.config.parent / "brake-a").touch()
    lone.soon(lambda: lone.is_owned_by("b"), "a is slowed down")
    assert a.lines("decided")[-1]["type"] in {"vrrp.backup", "vrrp.priority", "vrrp.follows"}
    (a.config.parent / "brake-a").unlink()
    lone.soon(lambda: lone.is_owned_by("a"), "a has it back")


def test_a_new_reporter_knows_of_the_last_takeover(lone: Pair) -> None:
    a, _ = lone_ones(lone)
    lone.start()
    before = a.pid("reporter")
    a.signal(signal.SIGKILL, "reporter")
    lone.soon(lambda: a.pid("reporter") not in {None, before} and a.health() is None, "a new one")
    (a.config.parent / "brake-a").touch()
    lone.soon(lambda: lone.is_owned_by("b"), "a is slowed down")
    lone.soon(lambda: [kind for kind, _ in a.decided()][-1:] == ["vrrp.backup"], "a tells of it")
    assert [one for one in a.lines("decided") if "takeover" in one][-1]["takeover"] is not None


def test_a_log_that_is_named_is_told_and_heard_and_the_config_stays_the_files(
    lone: Pair, tmp_path: Path
) -> None:
    a, _ = lone_ones(lone)
    log = Log(a, tmp_path / "nats")
    try:
        log.say("console", "config.applied", ("cluster",), APPLIED)
        lone.start()
        lone.soon(lambda: [one.state for one in log.states()][-1:] == ["master"], "it is logged")
        assert log.states()[-1].takeover is not None
        log.say("console", "operator.failover", FAILOVER.entity, FAILOVER)
        lone.soon(lambda: lone.is_owned_by("b"), "a hands over")
        lone.soon(lambda: log.states()[-1].why == "operator", "that is logged too")
        log.server.stop()
        lone.soon(lambda: a.lines("log is away"), "a says that the log is gone")
        assert a.health() is None
        a.signal(signal.SIGHUP, "parent")
        lone.soon(lambda: a.lines("config read")[1:], "a reads its file")
    finally:
        log.server.stop()


@pytest.mark.parametrize("address", ["nats://127.0.0.1:9", "nats://no.such.host.invalid:4222"])
def test_a_log_that_cannot_be_had_is_a_notice(lone: Pair, address: str) -> None:
    a, _ = lone_ones(lone)
    a.environment = {"LIBRA_NATS": address, "LIBRA_SEED_FILE": "/no/such.seed"}
    lone.start()
    lone.soon(lambda: a.lines("log is away"), "it is told")
    lone.soon(lambda: "vrrp.master" in dict(a.decided()), "transitions are told")
    assert a.lines("no seed for NATS")
    assert a.health() is None
    assert a.lines("child ended, starting another") == []
