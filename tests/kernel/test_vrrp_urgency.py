"""What the machine has of the kernel for itself, with the capabilities for it and without them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.conftest import Director, Pair
from tests.kernel.test_vrrp_alone import scraped

pytestmark = pytest.mark.network

FEW = ("setpriv", "--bounding-set", "-sys_nice,-ipc_lock", "--inh-caps=-all")
NOTICES = ("no real-time priority", "memory is not locked")
MACHINE, GUARD = 50, 51
"""Real-time priorities: the guard must have its turn beside a machine that spins."""


def status(pid: int) -> dict[str, int]:
    """Return what proc(5) says of a process's memory, in kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {one.split(":")[0]: int(one.split()[1]) for one in lines if one.startswith("Vm")}


def turn(pid: int) -> tuple[int, int]:
    """Return how a process is scheduled, and its priority."""
    return os.sched_getscheduler(pid), os.sched_getparam(pid).sched_priority


def notices(director: Director) -> list[dict[str, Any]]:
    """Return what a director said of what it may not have."""
    assert director.log is not None
    lines = [json.loads(line) for line in director.log.read_text().splitlines()]
    return [one for one in lines if one["event"].startswith(NOTICES)]


def started(pair: Pair, tmp_path: Path, *wrapper: str) -> None:
    """Start both under a wrapper; a is master."""
    for director in (pair.a, pair.b):
        director.log = tmp_path / f"{director.node.name}.log"
        director.environment = {"LIBRA_METRICS_PORT": "9642"}
        director.wrapper = wrapper
    pair.start()


def pids(director: Director) -> tuple[int, int, int]:
    """Return the machine, the guard and the reporter."""
    machine, reporter, guard = director.pid("machine"), director.pid("reporter"), director.parent
    assert machine is not None
    assert reporter is not None
    assert guard is not None
    return machine, guard.pid, reporter


def moves(pair: Pair) -> None:
    """Have a hand over: VRRP works."""
    pair.a.stop()
    pair.soon(lambda: pair.is_owned_by("b"), "b takes over")
    pair.soon(pair.pings, "the client is answered")


def test_with_the_capabilities_machine_and_guard_are_urgent_and_locked_and_the_reporter_is_not(
    pair: Pair, tmp_path: Path
) -> None:
    started(pair, tmp_path)
    machine, guard, reporter = pids(pair.a)
    pair.soon(lambda: turn(machine) == (os.SCHED_RR, MACHINE), "it is more urgent than its guard")
    assert turn(guard) == (os.SCHED_RR, GUARD)
    assert turn(reporter) == (os.SCHED_OTHER, 0)
    for pid in (machine, guard):
        memory = status(pid)
        assert memory["VmLck"] > 0.95 * memory["VmRSS"] > 0
        assert memory["VmSwap"] == 0
    assert status(reporter)["VmLck"] == 0
    assert notices(pair.a) == []
    moves(pair)


def test_without_the_capabilities_that_is_told_once_and_all_works(
    pair: Pair, tmp_path: Path
) -> None:
    started(pair, tmp_path, *FEW)
    for pid in pids(pair.a):
        assert turn(pid) == (os.SCHED_OTHER, 0)
        assert status(pid)["VmLck"] == 0
    pair.soon(lambda: len(notices(pair.a)) >= len(NOTICES), "it is told")
    moves(pair)
    told = notices(pair.a)
    assert [one["level"] for one in told] == ["warning", "warning"]
    priority, memory = (one["event"] for one in told)
    assert priority.startswith(
        "no real-time priority (Operation not permitted): needs CAP_SYS_NICE"
    )
    assert memory == "memory is not locked (Cannot allocate memory): needs CAP_IPC_LOCK"


def test_the_machine_at_work_has_its_garbage_collector_frozen(pair: Pair, tmp_path: Path) -> None:
    """What is there when it begins is most of what there ever is: imports and the routers."""
    started(pair, tmp_path)
    name = 'libra_vrrp_machine_count{what="gc_frozen"}'
    pair.soon(lambda: scraped(pair.a).get(name, 0) > 10_000, "the machine's objects are frozen")
