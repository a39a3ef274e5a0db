"""What signals do to libra-vrrp with the capabilities that the container has, and no other.

Its guard is real-time, its reporter another user's, and nothing in it may signal that one.
"""

import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.kernel.conftest import Director, Pair
from tests.kernel.test_vrrp_alone import Lone, lone, lone_ones

__all__ = ["lone"]

pytestmark = pytest.mark.network

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"


def contained() -> tuple[str, ...]:
    """Return what runs a program as docker-compose.yml has it run."""
    service: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]["vrrp"]
    assert service["cap_drop"] == ["ALL"]
    given = ",".join(f"+{name.lower()}" for name in service["cap_add"])
    uid, gid = service["user"].split(":")
    bounds = ("--bounding-set", f"-all,{given}", "--inh-caps=-all", "--no-new-privs")
    return "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *bounds


def capabilities(director: Director) -> int:
    """Return which capabilities its guard has (proc(5))."""
    assert director.parent is not None
    status = Path(f"/proc/{director.parent.pid}/status").read_text()
    return int(status.partition("CapEff:")[2].split()[0], 16)


def works(one: Lone, reads: int) -> bool:
    """Say whether its machine owns the address, and its reporter has read the file so often."""
    return one.owns() and len(one.lines("config read")) == reads


def is_new(one: Lone, before: set[int | None]) -> bool:
    """Say whether both children are others than before."""
    now = {one.pid("machine"), one.pid("reporter")}
    return None not in now and not now & before


@pytest.fixture
def jailed(lone: Pair) -> Pair:
    """Have both run as in the container; a is master, and its reporter tells of it."""
    for one in lone_ones(lone):
        one.wrapper = contained()
    lone.start()
    a, _ = lone_ones(lone)
    lone.soon(partial(works, a, 1), "a works")
    lone.soon(a.decided, "it tells")
    return lone


def test_the_guard_has_what_is_written_there_and_no_more(jailed: Pair) -> None:
    kill, net_admin, net_raw, setgid, setuid, ipc_lock, sys_nice = 5, 12, 13, 6, 7, 14, 23
    given = capabilities(jailed.a)
    assert not given >> kill & 1
    assert given == sum(1 << n for n in (net_admin, net_raw, setgid, setuid, ipc_lock, sys_nice))


def test_sighup_has_the_file_read_again(jailed: Pair) -> None:
    a, _ = lone_ones(jailed)
    a.signal(signal.SIGHUP, "parent")
    jailed.soon(partial(works, a, 2), "the file is read again")


def test_sigusr2_starts_all_anew_in_place(jailed: Pair) -> None:
    a, _ = lone_ones(jailed)
    before = {a.pid("machine"), a.pid("reporter")}
    a.signal(signal.SIGUSR2, "parent")
    jailed.soon(partial(is_new, a, before), "all is new")
    jailed.soon(lambda: jailed.is_owned_by("a"), "a alone owns the address")
    assert a.lines("told to leave")[-1]["signal"] == "SIGUSR2"
    assert a.lines("starting again in place")
    assert a.lines("child does not end, killing it") == []
    assert a.parent is not None
    assert a.parent.poll() is None


@pytest.mark.parametrize("told", [signal.SIGUSR1, signal.SIGTERM])
def test_who_is_told_to_end_ends_with_all_its_children_and_the_other_takes_over(
    jailed: Pair, told: signal.Signals
) -> None:
    a, _ = lone_ones(jailed)
    assert a.parent is not None
    a.signal(told, "parent")
    assert a.parent.wait() == 0
    assert (a.pid("machine"), a.pid("reporter")) == (None, None)
    assert a.lines("child does not end, killing it") == []
    leaves = a.lines("ending on SIGUSR1: start libra-vrrp again, nothing else does")
    assert len(leaves) == (told == signal.SIGUSR1)
    jailed.soon(lambda: jailed.is_owned_by("b"), "b takes over")
    a.start()
    jailed.soon(lambda: jailed.is_owned_by("a"), "a has it back")
    assert a.lines("the service before this one did not end in order") == []
