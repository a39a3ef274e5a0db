"""The whole service anew, guard and all: mastership stays where it is, or goes over in order."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from tests.kernel import test_vrrp_tether
from tests.kernel.conftest import VIP, WITHOUT_KILL, Director, until
from tests.kernel.stages import Stage, restarted, stage

from libra_vrrp.lease import Terms
from libra_vrrp.routing import Route

pytestmark = pytest.mark.network

PATIENCE = 60.0
A, B = "192.0.2.1", "192.0.2.2"
LEAVE, AGAIN = signal.SIGUSR1, signal.SIGUSR2
AWAY = Route(IPv4Network("198.51.100.0/24"), "eth0")


@pytest.fixture(scope="module")
def interval() -> float:
    """Return an interval in which a service is stopped and started here; a second if it can be."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import libra_vrrp.shell.machine"], check=True)
    return max(1.0, 4 * (time.monotonic() - began))


def terms_for(interval: float) -> Terms:
    """Return the longest lease that ends before others take over."""
    return Terms(int(3 * interval) - 1)


@contextmanager
def pinged(one: Stage) -> Iterator[None]:
    """Have the client ping all the while; every ping is to be answered."""
    ping = one.client.popen(["ping", "-i", "0.02", str(VIP)], stdout=subprocess.PIPE)
    try:
        yield
    finally:
        ping.send_signal(signal.SIGINT)
        told, _ = ping.communicate(timeout=PATIENCE)
    assert ", 0% packet loss" in told, told


@contextmanager
def frozen(process: int | None) -> Iterator[None]:
    """Stop a process for a while; the guard may kill it for that."""
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def was_told(process: int | None, number: signal.Signals) -> bool:
    """Say whether a signal waits for a process that is stopped (proc(5)), or it was killed."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return "ShdPnd:" not in status or bool(
        int(status.partition("ShdPnd:")[2].split()[0], 16) >> number - 1 & 1
    )


def ended(director: Director, told: signal.Signals) -> None:
    """Have a service end."""
    assert director.parent is not None
    director.signal(told, "parent")
    director.parent.wait(PATIENCE)


def speaks(one: Stage, source: str, since: float, times: int = 1) -> None:
    """Wait until a director says that it is master, for so many times."""

    def said() -> list[int]:
        return [each.priority for each in one.seen.heard(source, since) if each.priority]

    until(lambda: len(said()) >= times, PATIENCE, f"{source} speaks")


def started_anew(director: Director, before: tuple[int | None, ...]) -> bool:
    """Say whether both children are others than before."""
    now = director.pid("machine"), director.pid("reporter")
    return None not in now and not set(now) & set(before)


def test_a_service_stopped_and_started_in_time_stays_master(
    tmp_path: Path, interval: float
) -> None:
    with stage(tmp_path, interval=interval, terms=terms_for(interval)) as one:
        one.start()
        a = one.directors["a"]
        since = time.monotonic()
        with pinged(one):
            for _ in range(3):
                ended(a, LEAVE)
                a.start()
                speaks(one, A, time.monotonic(), 2)
        assert one.seen.moves(since) == []
        assert one.seen.heard(B, since) == []
        assert not (tmp_path / "a/vrrp-guard/left.json").exists()


def test_a_service_that_is_not_started_in_time_is_replaced_by_the_other(
    tmp_path: Path, interval: float
) -> None:
    with stage(tmp_path, interval=interval, terms=terms_for(interval)) as one:
        one.start()
        a, since = one.directors["a"], time.monotonic()
        ended(a, LEAVE)
        until(lambda: one.seen.taken("b", since), PATIENCE, "b takes over")
        assert [(move.name, move.is_held) for move in one.seen.moves(since)] == [
            ("a", False), ("b", True),
        ]  # fmt: skip
        a.start()
        until(a.listens, PATIENCE, "a is there again")
        speaks(one, B, time.monotonic(), 3)
        assert one.seen.owners() == {"b"}
        assert one.seen.shared(since) == 0


@pytest.mark.parametrize("wrapper", [(), WITHOUT_KILL], ids=["as root", "without CAP_KILL"])
def test_a_service_started_again_in_place_stays_master_and_the_same_process(
    tmp_path: Path, interval: float, wrapper: tuple[str, ...]
) -> None:
    quick = interval / 2
    with stage(tmp_path, interval=quick) as one:
        one.directors["a"].wrapper = wrapper
        one.start()
        a, since = one.directors["a"], time.monotonic()
        with pinged(one):
            for _ in range(3):
                until(lambda: a.pid("reporter"), PATIENCE, "the reporter runs")
                before = a.pid("machine"), a.pid("reporter")
                a.signal(AGAIN, "parent")
                until(partial(started_anew, a, before), PATIENCE, "all is new")
                speaks(one, A, time.monotonic(), 3)
        assert a.parent is not None
        assert a.parent.poll() is None
        assert one.seen.moves(since) == []
        assert one.seen.heard(B, since) == []


def test_a_service_that_cannot_leave_in_order_starts_again_all_the_same(tmp_path: Path) -> None:
    with stage(tmp_path) as one:
        one.start()
        a, before = one.directors["a"], one.directors["a"].pid("machine")
        shutil.rmtree(tmp_path / "a/vrrp-guard")
        (tmp_path / "a/vrrp-guard").touch()  # no directory
        a.signal(AGAIN, "parent")
        restarted(a, before)
        assert "nothing can be left to a successor" in (tmp_path / "a.log").read_text()
        assert a.parent is not None
        assert a.parent.poll() is None
        until(one.is_at_rest, PATIENCE, "one alone has the address, and all listen")


def test_who_is_told_to_start_again_while_it_does_so_does_it_once_more(tmp_path: Path) -> None:
    with stage(tmp_path, interval=2.0, terms=terms_for(2.0)) as one:
        one.start()
        a = one.directors["a"]
        for _ in range(2):
            before = a.pid("machine")
            a.signal(AGAIN, "parent")
            restarted(a, before)
            again = a.pid("machine")
            with frozen(again):  # while it imports its modules
                a.signal(AGAIN, "parent")
                until(partial(was_told, again, AGAIN), PATIENCE, "it is told")
            restarted(a, again)
            until(one.is_at_rest, PATIENCE, "one alone has the address, and all listen")
        assert a.parent is not None
        assert a.parent.poll() is None


def test_who_is_told_to_end_while_it_starts_again_ends_and_hands_over(tmp_path: Path) -> None:
    with stage(tmp_path, interval=2.0, terms=terms_for(2.0)) as one:
        one.start()
        a = one.directors["a"]
        assert a.parent is not None
        machine = a.pid("machine")
        with frozen(machine):
            a.signal(AGAIN, "parent")
            until(lambda: was_told(machine, AGAIN), PATIENCE, "only the machine is awaited")
            a.signal(signal.SIGTERM, "parent")
        assert a.parent.wait(PATIENCE) == 0
        until(lambda: one.seen.owners() == {"b"}, PATIENCE, "b takes over")
        assert not (tmp_path / "a/vrrp-guard/left.json").exists()
        a.start()


def test_a_route_stays_with_a_service_that_is_started_again_in_place(
    tmp_path: Path, interval: float
) -> None:
    with stage(tmp_path, interval=interval / 2) as one:
        a = one.directors["a"]
        a.order = replace(a.order, routes=(AWAY,))
        a.write()
        one.start()

        def lies() -> bool:
            return str(AWAY.to) in a.node.run("ip", "route").stdout

        until(lies, PATIENCE, "the route is there")
        until(lambda: a.pid("reporter"), PATIENCE, "the reporter runs")
        before, since = (a.pid("machine"), a.pid("reporter")), time.monotonic()
        a.signal(AGAIN, "parent")
        while not started_anew(a, before):
            assert lies()
        speaks(one, A, time.monotonic(), 3)
        assert lies()
        assert one.seen.moves(since) == []
        ended(a, LEAVE)
        until(lambda: one.seen.owners() == {"b"}, PATIENCE, "b takes over")
        assert not lies()
        a.start()


@pytest.mark.parametrize("key", [None, bytes(range(32))], ids=["in clear", "sealed"])
def test_nobody_takes_a_tied_service_that_leaves_in_order_for_dead(
    tmp_path: Path, interval: float, key: bytes | None
) -> None:
    with test_vrrp_tether.stage(tmp_path, "ab", key, interval, terms_for(interval)) as one:
        one.start()
        a, since = one.directors["a"], time.monotonic()
        for told in (AGAIN, LEAVE):
            until(lambda: a.pid("reporter"), PATIENCE, "the reporter runs")
            before = a.pid("machine"), a.pid("reporter")
            if told == AGAIN:
                a.signal(AGAIN, "parent")
            else:
                restart(a)
            until(partial(started_anew, a, before), PATIENCE, "all is new")
            one.settle("a")
        one.rest_for(4)
        assert one.seen.moves(since) == []


def test_a_tether_that_was_not_made_anew_does_not_tell_that_the_node_died(
    tmp_path: Path, interval: float
) -> None:
    with test_vrrp_tether.stage(tmp_path, "ab", None, interval, terms_for(interval)) as one:
        one.start()
        a, since = one.directors["a"], time.monotonic()
        for way in ("INPUT", "OUTPUT"):  # what is there stays, no other comes
            a.node.run("iptables", "-A", way, "-p", "tcp", "--syn", "-j", "DROP")
        before = a.pid("machine")
        a.signal(signal.SIGKILL, "machine")
        restarted(a, before)
        speaks(one, A, time.monotonic(), 3)
        for again in (True, False):
            before = a.pid("machine")
            if again:
                a.signal(AGAIN, "parent")
                restarted(a, before)
            else:
                restart(a)
            speaks(one, A, time.monotonic(), 3)
        assert one.seen.moves(since) == []
        assert one.seen.heard(B, since) == []


def settled(one: Stage, act: Callable[[Director], None]) -> None:
    """Do something to the master; the other takes over, and never do both own the address."""
    owner, heir, since = one.master(), one.heir(), time.monotonic()
    act(owner)
    until(lambda: one.seen.taken(heir.node.name, since), PATIENCE, "the other has the address")
    until(one.is_at_rest, PATIENCE, "one alone has it, and all listen")
    assert one.seen.shared(since) == 0


def test_what_nobody_could_adopt_in_time_goes_to_the_other_in_order(tmp_path: Path) -> None:
    with stage(tmp_path, interval=0.04) as one:
        one.start()
        for _ in range(3):
            settled(one, lambda owner: owner.signal(AGAIN, "parent"))
            settled(one, restart)


def restart(director: Director) -> None:
    """Stop and start a service whose addresses would be there for longer than others wait."""
    ended(director, LEAVE)
    director.start()
