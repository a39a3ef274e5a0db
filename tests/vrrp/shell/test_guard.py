"""The guard outlives what it cannot do: a host without processes, memory or descriptors left."""

import errno
import gc
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from libra_vrrp.guarding import Estate, HandOver, Ward, Will, dumps
from libra_vrrp.settings import Settings
from libra_vrrp.shell import guard
from libra_vrrp.shell.child import FIRST_PAUSE, LONGEST_PAUSE, Child
from libra_vrrp.shell.guard import Guard
from libra_vrrp.shell.page import Page

REFUSAL = OSError(errno.EAGAIN, "Resource temporarily unavailable")
FRONT = Will("front", 1.0, ((2, IPv4Address("192.0.2.10")),), ())


@dataclass
class CleanUp:
    """What would be removed and said."""

    done: list[HandOver] = field(default_factory=list)

    def perform(self, hand_over: HandOver) -> None:
        self.done.append(hand_over)


@pytest.fixture
def warden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Guard]:
    """Make a guard that opens no raw socket; signals are afterwards what they were."""
    numbers = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    monkeypatch.setattr(guard, "CleanUp", CleanUp)
    made = Guard(Settings("a", tmp_path))
    yield made
    os.close(signal.set_wakeup_fd(-1))
    for each in (made._to_machine, made._to_reporter, made._signals._woken, made._line):
        if each is not None:
            each.close()
    gc.unfreeze()
    for number, action in before.items():
        signal.signal(number, action)


class Refusals:
    """Refuses every call, and ends the guard in order with the `last`."""

    def __init__(self, last: int) -> None:
        self.calls, self._last = 0, last

    def __call__(self, *_: object, **__: object) -> object:
        self.calls += 1
        if self.calls == self._last:
            signal.raise_signal(signal.SIGTERM)
        raise REFUSAL


@dataclass
class Started:
    """A child that runs: it keeps descriptors of its own of what it is passed."""

    passed: list[int] = field(default_factory=list)
    pid: int = 0

    def __call__(self, *_: object, pass_fds: list[int], **__: object) -> "Started":
        self.passed = [os.dup(one) for one in pass_fds]
        return self

    def poll(self) -> None:
        return None


def test_a_guard_without_processes_left_tries_again_until_it_is_ended(
    warden: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = Refusals(4)
    monkeypatch.setattr(subprocess, "Popen", refusals)
    warden.run()
    assert refusals.calls == 4


def test_once_there_is_room_the_machine_has_its_line_and_page(
    warden: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warden, "_start_reporter", lambda _now: None)
    monkeypatch.setattr(subprocess, "Popen", Refusals(0))
    warden._tend(0.0)
    started = Started()
    monkeypatch.setattr(subprocess, "Popen", started)
    warden._tend(warden._machine.start_at)
    assert warden._machine.runs
    reports, line, memory = started.passed
    os.close(reports)
    with socket.socket(fileno=line) as its:
        its.send(dumps(FRONT))
        warden._hear()
    assert warden._ward == Ward({"front": FRONT})
    Page(memory).promised = 7.0
    os.close(memory)
    assert warden._promised() == 7.0


@pytest.mark.parametrize(("place", "name"), [(socket, "socketpair"), (os, "memfd_create")])
def test_a_guard_without_descriptors_left_loses_none_and_goes_on(
    warden: Guard, monkeypatch: pytest.MonkeyPatch, place: object, name: str
) -> None:
    monkeypatch.setattr(warden, "_start_reporter", lambda _now: None)
    monkeypatch.setattr(place, name, Refusals(0))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for now in (0.0, 1.0, 3.0):
        warden._tend(now)
    assert warden._machine.start_at > 3.0
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_no_successor_could_adopt_in_time_is_given_up_and_none_is_condemned(
    warden: Guard,
) -> None:
    warden._ward = Ward(left={"front": Estate(FRONT, 5.0)})
    warden._watch(4.0)
    assert warden._ward.left
    warden._watch(5.0)
    assert warden._ward == Ward()
    cleaned = warden._clean_up
    assert isinstance(cleaned, CleanUp)
    assert [one.targets for one in cleaned.done] == [FRONT.targets]


def test_a_child_that_cannot_be_started_is_tried_ever_less_often() -> None:
    one, pauses = Child("machine"), list[float]()
    for now in map(float, range(10)):
        one.put_off("no memory", now)
        pauses.append(one.start_at - now)
    assert pauses[0] == pytest.approx(FIRST_PAUSE)
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE)
