"""Who may take over from a living master of lower priority, and when."""

import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.kernel.stages import restarted
from tests.kernel.test_vrrp_events import CONFIG, Log, log

from libra_schemas.canonical import digest
from libra_schemas.events import ConfigApplied, FreshState, InstanceState
from libra_vrrp.kept import load_instances
from libra_vrrp.router import WhenSynced

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

__all__ = ["log"]

pytestmark = pytest.mark.network

ADVERTS = 10
"""Of the master, within which a backup that may preempt would have taken over twice."""
OF_A, OF_B = "192.0.2.1 >", "192.0.2.2 >"


def applied(**written: Any) -> ConfigApplied:
    """Return a config whose instance is written so; by default nothing says `preempt`."""
    front = {key: value for key, value in CONFIG["instances"]["front"].items() if key != "preempt"}
    document = CONFIG | {"instances": {"front": front | written}}
    return ConfigApplied(number=1, hash=digest(document), document=document, author="test")


def begin(pair: "Pair", log: Log, **written: Any) -> float:
    """Have b be master, and a a backup by this config; return a moment before a knew of b."""
    pair.b.start()
    pair.soon(pair.b.owns, "b owns the address")
    before = time.monotonic()
    log.say("console", "config.applied", ("cluster",), applied(**written))
    pair.soon(lambda: [one.state for one in log.states()] == ["backup"], "a is a backup")
    return before


def fresh(log: Log, coverage: float) -> None:
    """Say how many of the peer's connections are on a."""
    state = FreshState(own=round(1000 * coverage), peer=1000, coverage=coverage)
    log.say("ipvs-writer", "conn.fresh", ("all",), state)


def a_waits(pair: "Pair") -> None:
    """See a leave b alone for longer than it would if it might take over."""
    with pair.client.capture("eth0", "ip proto 112") as said:
        pair.soon(lambda: sum(OF_B in line for line in said.lines) >= ADVERTS, "b goes on")
        assert not any(OF_A in line for line in said.lines)
    assert pair.owners() == ["b"]


def taken_over(pair: "Pair", log: Log, masters: int = 1) -> tuple[float, InstanceState]:
    """Wait until a is master for the so many-th time; return when, and what it says of it."""
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")
    when = time.monotonic()

    def said() -> list[InstanceState]:
        return [one for one in log.states() if one.state == "master"]

    pair.soon(lambda: len(said()) == masters, "the log knows it")
    return when, said()[-1]


def kill(director: "Director") -> None:
    """Kill guard, machine and reporter at one moment: nothing is left to end in order."""
    assert director.parent is not None
    children = director.pid("machine"), director.pid("reporter")
    processes = [director.parent.pid, *(pid for pid in children if pid is not None)]
    director.node.signal(signal.SIGSTOP, processes)
    director.node.signal(signal.SIGKILL, processes)
    director.parent.wait()


def test_by_default_a_higher_backup_waits_until_it_has_nine_tenths_of_the_connections(
    pair: "Pair", log: Log
) -> None:
    begin(pair, log)
    fresh(log, 0.89)
    a_waits(pair)
    fresh(log, 0.93)
    _, said = taken_over(pair, log)
    assert (said.why, said.coverage) == ("preempt", 0.93)
    assert said.detail == "93.0% of the peer's connections are here"


def test_at_its_deadline_it_takes_over_without_them_and_says_so(pair: "Pair", log: Log) -> None:
    before = begin(pair, log)
    kept = pair.a.state / "vrrp" / "routers.jsonl"
    (pair.a.order,) = load_instances(kept.read_bytes())
    assert pair.a.order.preempt == WhenSynced(60.0, unclean=30.0)
    pair.a.order = replace(pair.a.order, preempt=WhenSynced(3.0))
    pair.a.reload()
    when, said = taken_over(pair, log)
    assert when - before >= 3.0
    assert (said.why, said.coverage) == ("preempt", None)
    assert said.detail.endswith("is over: how many is not known")


def test_a_delay_is_waited_for_and_nothing_else(pair: "Pair", log: Log) -> None:
    before = begin(pair, log, preempt="3s")
    fresh(log, 1.0)
    when, said = taken_over(pair, log)
    assert when - before >= 3.0
    assert (said.why, said.detail, said.coverage) == ("preempt", "", 1.0)


def test_after_an_unclean_exit_what_is_known_of_connections_counts_for_nothing_at_first(
    pair: "Pair", log: Log
) -> None:
    """An orderly end is none; nor does the wait hold back who hears no master any more."""
    begin(pair, log)
    fresh(log, 0.95)
    taken_over(pair, log)
    pair.a.stop()
    pair.soon(pair.b.owns, "b follows")
    pair.a.start()
    _, said = taken_over(pair, log, masters=2)
    assert (said.why, said.coverage) == ("preempt", 0.95)
    kill(pair.a)
    pair.soon(lambda: pair.owners() == ["b"], "b alone owns the address")
    pair.a.start()
    pair.soon(lambda: log.states()[-1].state == "backup", "a is a backup")
    a_waits(pair)
    kill(pair.b)
    _, said = taken_over(pair, log, masters=3)
    assert (said.why, said.coverage) == ("timer", 0.95)


def test_after_an_unclean_exit_it_waits_for_so_long_and_not_for_ever(pair: "Pair") -> None:
    pair.a.order = replace(pair.a.order, preempt=WhenSynced(0.5, unclean=4.0))
    pair.a.write()
    pair.start()
    kill(pair.a)
    pair.soon(lambda: pair.owners() == ["b"], "b alone owns the address")
    before = time.monotonic()
    pair.a.start()
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")
    assert time.monotonic() - before >= 4.0


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGKILL])
def test_neither_a_planned_restart_nor_a_machine_that_is_replaced_is_an_unclean_exit(
    pair: "Pair", tmp_path: Path, number: signal.Signals
) -> None:
    pair.a.log = tmp_path / "told"
    pair.start()
    before = pair.a.pid("machine")
    pair.a.signal(number, "parent" if number == signal.SIGUSR2 else "machine")
    pair.soon(lambda: pair.a.pid("machine") not in {None, before}, "another machine runs")
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")
    pair.a.stop()
    pair.a.start()
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")
    assert "did not end in order" not in pair.a.log.read_text()
    kill(pair.a)
    pair.a.start()
    told = pair.a.log
    pair.soon(lambda: "did not end in order" in told.read_text(), "a killed one is told of")


def test_who_could_leave_nothing_when_it_started_again_in_place_knows_of_the_unclean_exit(
    pair: "Pair", tmp_path: Path
) -> None:
    pair.a.log = tmp_path / "told"
    pair.start()
    kill(pair.a)
    pair.a.start()
    pair.soon(lambda: began(pair.a), "another machine runs")
    known, before = began(pair.a), pair.a.pid("machine")
    assert known != "-inf"
    (pair.a.state / "vrrp-guard" / "left.json").mkdir()
    pair.a.signal(signal.SIGUSR2, "parent")
    restarted(pair.a, before)
    assert "nothing can be left to a successor" in pair.a.log.read_text()
    assert began(pair.a) == known


def began(director: "Director") -> str | None:
    """Return when, as its machine was told, the service began that follows an unclean exit."""
    if (machine := director.pid("machine")) is None:
        return None
    return Path(f"/proc/{machine}/cmdline").read_bytes().split(b"\0")[-2].decode()


def test_a_node_that_starts_lets_its_start_up_delay_pass_and_then_hears_who_is_master(
    pair: "Pair",
) -> None:
    delayed = replace(pair.a.order, start_delay=3.0)
    pair.a.order = delayed
    pair.a.write()
    pair.b.start()
    pair.soon(pair.b.owns, "b owns the address")
    with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.1") as said:
        before = time.monotonic()
        pair.a.start()
        said.wait_for("prio 150")
        assert time.monotonic() - before >= 3.0 + 3 * delayed.interval
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")
