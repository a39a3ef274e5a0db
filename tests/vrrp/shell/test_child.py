"""A child of the guard: it is started again, and reaped in nobody's way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from libra_vrrp.shell.child import FIRST_PAUSE, Child
from libra_vrrp.shell.privileges import unhurried

PATIENCE = 60.0


@pytest.fixture
def urgent() -> Iterator[None]:
    """Give this thread real-time priority, where it may have it."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    yield
    os.sched_setscheduler(0, policy, parameters)


@pytest.fixture
def reaped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how each process was waited for that is to be reaped."""
    policies: list[int] = []
    wait = os.waitpid

    def noted(pid: int, options: int) -> tuple[int, int]:
        policies.append(os.sched_getscheduler(0))
        return wait(pid, options)

    monkeypatch.setattr(os, "waitpid", noted)
    return policies


def until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.01)


def is_zombie(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


@pytest.mark.usefixtures("urgent")
def test_a_child_is_reaped_by_who_waits_like_others_and_after_the_next_began(
    reaped: list[int],
) -> None:
    """In real time two guards kept both processors for ten minutes: the kernel spins meanwhile."""
    before = os.sched_getscheduler(0)
    child = Child("no such role")
    first = child.start([], [], 0.0)
    child.kill()
    until(lambda: child.has_ended(1.0))
    assert (child.runs, child.start_at) == (False, 1.0)
    assert is_zombie(first)
    assert reaped == []
    second = child.start([], [], 2.0)
    assert is_zombie(first)
    child.reap()
    assert not is_zombie(first)
    child.kill()
    assert not child.await_end(PATIENCE)
    assert not is_zombie(second)
    assert set(reaped) == {os.SCHED_OTHER}
    assert os.sched_getscheduler(0) == before


def test_a_child_that_ends_by_itself_is_started_later_and_later(
    capfd: pytest.CaptureFixture[str],
) -> None:
    child = Child("no such role")
    pauses = []
    for _ in range(3):
        child.start([], [], 5.0)
        until(lambda: child.has_ended(5.0))
        pauses.append(child.start_at - 5.0)
        child.reap()
    assert pauses == pytest.approx([0.0, FIRST_PAUSE, 2 * FIRST_PAUSE])
    capfd.readouterr()


def test_a_retired_child_leaves_nothing() -> None:
    child = Child("no such role")
    pid = child.start([], [], 0.0)
    child.retire()
    child.send(signal.SIGKILL)
    until(lambda: child.has_ended(1.0))
    child.reap()
    assert not is_zombie(pid)
    assert child.start_at == float("inf")


def test_who_is_dead_already_can_be_killed_and_is_seen_to_have_ended() -> None:
    """It was reaped by the signal to it, and the guard fell over its own question."""
    child = Child("no such role")
    pid = child.start([], [], 0.0)
    os.kill(pid, signal.SIGKILL)
    until(lambda: is_zombie(pid))
    child.kill()
    assert child.has_ended(1.0)
    child.reap()
    assert not is_zombie(pid)


def test_who_does_not_end_is_killed(capfd: pytest.CaptureFixture[str]) -> None:
    child = Child("no such role")
    pid = child.start([], [], 0.0)
    os.kill(pid, signal.SIGSTOP)
    assert not child.await_end(0.0)
    assert not Path(f"/proc/{pid}").exists()
    assert "killing it" in capfd.readouterr().err


def test_who_is_in_no_hurry_already_stays_so() -> None:
    before = os.sched_getscheduler(0)
    with unhurried():
        assert os.sched_getscheduler(0) == before


WATCHED = '''
import os, statistics, subprocess, sys, time
from contextlib import suppress
from multiprocessing import Value
from libra_vrrp.shell.privileges import unhurried

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
watched = Value("i", 0, lock=False)

def look():
    ours = os.getppid()
    while os.getppid() == ours:
        directory = f"/proc/{watched.value}"
        with suppress(OSError):
            for one in os.listdir(f"{directory}/task"):
                open(f"{directory}/task/{one}/stat").read()
            for one in os.listdir(f"{directory}/fd"):
                os.stat(f"{directory}/fd/{one}")

for _ in range(3):
    if os.fork() == 0:
        look()
        os._exit(0)
program = """
import os, threading, time
for _ in range(4):
    threading.Thread(target=time.sleep, args=(99,)).start()
print([os.dup(0) for _ in range(100)], flush=True)
"""
took = []
for _ in range(7):
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.stdout.readline()
    watched.value = child.pid
    time.sleep(0.1)
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    began = time.monotonic()
    with unhurried():
        child.wait()
    took.append(time.monotonic() - began)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
print(statistics.median(took))
'''
"""Reaps children at which others look in /proc, on the one processor that all of them have."""


def test_who_looks_at_a_dying_child_in_proc_holds_nobody_up_who_has_real_time_priority() -> None:
    """Each time it would be for a second: until the kernel bounds real-time work."""
    told = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, check=True).stdout
    assert float(told) < 0.5
