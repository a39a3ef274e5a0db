"""The guard outlives what it cannot do: a host without processes, memory or descriptors left."""

import errno
import gc
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, cast

import pytest

from libra_vrrp import reports
from libra_vrrp.bequest import Bequest
from libra_vrrp.custody import Custody
from libra_vrrp.guarding import Estate, HandOver, Settled, Tethered, Ward, Will
from libra_vrrp.reports import Awake, Farewell, Numbered, Report, Reread
from libra_vrrp.rtnetlink import Target
from libra_vrrp.settings import Settings
from libra_vrrp.shell import bequests, guard
from libra_vrrp.shell.child import FIRST_PAUSE, LONGEST_PAUSE, Child
from libra_vrrp.shell.guard import Guard
from libra_vrrp.shell.leaving import AT_ONCE, LATER
from libra_vrrp.shell.page import Page
from libra_vrrp.shell.process import Process
from libra_vrrp.shell.pulse import Pulse
from libra_vrrp.wills import dumps

REFUSAL = OSError(errno.EAGAIN, "Resource temporarily unavailable")
FRONT = Will("front", 1.0, (Target(2, IPv4Address("192.0.2.10")),), ())


@dataclass
class CleanUp:
    """What would be removed and said."""

    done: list[HandOver] = field(default_factory=list)

    def perform(self, hand_over: HandOver) -> None:
        self.done.append(hand_over)


@pytest.fixture
def warden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Guard]:
    """Make a guard that opens no raw socket; signals are afterwards what they were."""
    numbers = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, AT_ONCE, LATER)
    before = {number: signal.getsignal(number) for number in numbers}
    monkeypatch.setattr(guard, "CleanUp", CleanUp)
    made = Guard(Settings("a", tmp_path))
    yield made
    os.close(signal.set_wakeup_fd(-1))
    for each in (
        made._reports.machines,
        made._reports.reporters,
        made._signals._woken,
        made._line._line,
    ):
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
    monkeypatch.setattr(warden._reports, "start", lambda _now: None)
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
    assert warden._custody.ward == Ward({"front": FRONT})
    Page(memory).promised = 7.0
    os.close(memory)
    assert warden._line.promised == 7.0


@pytest.mark.parametrize(("place", "name"), [(socket, "socketpair"), (os, "memfd_create")])
def test_a_guard_without_descriptors_left_loses_none_and_goes_on(
    warden: Guard, monkeypatch: pytest.MonkeyPatch, place: object, name: str
) -> None:
    monkeypatch.setattr(warden._reports, "start", lambda _now: None)
    monkeypatch.setattr(place, name, Refusals(0))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for now in (0.0, 1.0, 3.0):
        warden._tend(now)
    assert warden._machine.start_at > 3.0
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_no_successor_could_adopt_in_time_is_given_up_and_none_is_condemned(
    warden: Guard,
) -> None:
    warden._custody = Custody(Ward(left={"front": Estate(FRONT, 5.0)}))
    warden._watch(4.0)
    assert warden._custody.ward.left
    warden._watch(5.0)
    assert warden._custody.ward == Ward()
    cleaned = warden._clean_up
    assert isinstance(cleaned, CleanUp)
    assert [one.targets for one in cleaned.done] == [FRONT.targets]


@dataclass
class Tied:
    """A guard that was passed a tether, and the far end of it."""

    guard: Guard
    far: socket.socket

    @property
    def has_ended(self) -> bool:
        try:
            return self.far.recv(1) == b""
        except BlockingIOError:
            return False


@pytest.fixture
def tied(warden: Guard) -> Iterator[Tied]:
    """Have a guard hear of what its machine holds, and of a tether."""
    near, far = socket.socketpair()
    with warden._line.opened() as (line, _):
        its = socket.socket(fileno=os.dup(line))
    far.setblocking(False)
    with near, its:
        its.send(dumps(FRONT))
        socket.send_fds(its, [dumps(Tethered("b 7.1"))], [near.fileno()])
        warden._hear()
    yield Tied(warden, far)
    far.close()
    warden._tethers.cut()


def test_a_dead_machines_tethers_are_held_while_its_addresses_may_be_adopted(
    tied: Tied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tied.guard._machine, "has_ended", lambda _now: True)
    tied.guard._bury(-1.0)  # its start is not put off: the next machine comes in time
    assert tied.guard._custody.ward.left
    assert not tied.has_ended
    tied.guard._watch(1e9)
    assert tied.has_ended


def test_a_dead_machines_tethers_end_where_nothing_can_be_adopted(
    tied: Tied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tied.guard._machine, "has_ended", lambda _now: True)
    tied.guard._custody = replace(tied.guard._custody, needs=60.0)
    tied.guard._bury(0.0)
    assert tied.guard._custody.ward == Ward()
    assert tied.has_ended


def test_a_child_that_cannot_be_started_is_tried_ever_less_often() -> None:
    one, pauses = Child("machine"), list[float]()
    for now in map(float, range(10)):
        one.put_off("no memory", now)
        pauses.append(one.start_at - now)
    assert pauses[0] == pytest.approx(FIRST_PAUSE)
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE)


@dataclass
class Ending:
    """A process that ends as soon as one looks, with `ends_with`; before, `act` is done."""

    ends_with: int = 0
    act: Callable[[], object] = lambda: None
    told: list[int] = field(default_factory=list)
    is_reaped: bool = False

    def send(self, number: int) -> None:
        self.told.append(number)

    def kill(self) -> None:
        self.ends_with = -signal.SIGKILL

    def status(self) -> int:
        self.act()
        return self.ends_with

    def reap(self) -> None:
        self.is_reaped = True


def running(child: Child, ending: Ending) -> Ending:
    """Have a child run."""
    child._process = cast("Process", ending)
    return ending


def said(warden: Guard) -> list[Report]:
    """Return what the reporter was told."""
    warden._reports.reporters.setblocking(False)
    found: list[Report] = []
    with suppress(BlockingIOError):
        while True:
            found.append(reports.loads(warden._reports.reporters.recv(1 << 16)).report)
    return found


def cleaned(warden: Guard) -> list[tuple[object, ...]]:
    """Return what was removed."""
    assert isinstance(warden._clean_up, CleanUp)
    return [one.targets for one in warden._clean_up.done]


@pytest.mark.parametrize("told", [AT_ONCE, LATER])
def test_what_a_machine_left_in_order_is_left_to_the_next_service_from_when_it_was_told(
    warden: Guard, told: signal.Signals
) -> None:
    ended_at = list[float]()
    machine = running(warden._machine, Ending(act=lambda: ended_at.append(time.monotonic())))
    warden._custody = Custody(Ward({"front": FRONT}), needs=0.125)
    warden._leave(told)
    assert machine.told == [told]
    assert cleaned(warden) == []
    bequest = bequests.take(warden._settings.bequest)
    assert bequest is not None
    assert (bequest.needs, [one.will for one in bequest.left]) == (0.125, [FRONT])
    assert bequest.died_at <= ended_at[0]
    assert bequest.left[0].until == pytest.approx(bequest.died_at + 1.5)


def test_what_a_service_that_starts_at_once_could_not_adopt_in_time_is_given_up(
    warden: Guard,
) -> None:
    running(warden._machine, Ending())
    warden._custody = Custody(Ward({"front": FRONT}), needs=0.8)
    warden._leave(AT_ONCE)
    assert cleaned(warden) == [FRONT.targets]
    bequest = bequests.take(warden._settings.bequest)
    assert bequest is not None
    assert bequest.left == ()


@pytest.mark.parametrize("told", [AT_ONCE, LATER])
def test_what_a_machine_did_not_leave_in_order_is_given_up_and_who_starts_again_does(
    warden: Guard, monkeypatch: pytest.MonkeyPatch, told: signal.Signals
) -> None:
    running(warden._machine, Ending(ends_with=1))
    monkeypatch.setattr(warden._reports, "start", Refusals(0))
    warden._custody, warden._leaving = Custody(Ward({"front": FRONT})), told
    warden._leaves_at = 0.0
    assert warden.run() == (told == AT_ONCE)
    assert cleaned(warden) == [FRONT.targets]
    assert not warden._settings.bequest.exists()


def test_what_cannot_be_kept_for_a_successor_is_given_up_and_it_starts_all_the_same(
    warden: Guard,
) -> None:
    running(warden._machine, Ending())
    warden._settings.bequest.parent.touch()
    warden._custody = Custody(Ward({"front": FRONT}))
    warden._leaving, warden._leaves_at = AT_ONCE, 0.0
    assert warden.run()
    assert cleaned(warden) == [FRONT.targets]


def test_what_a_killed_machine_left_waits_for_the_service_that_starts_at_once(
    warden: Guard,
) -> None:
    died_at = time.monotonic()
    left = Estate(FRONT, died_at + 60.0)
    warden._custody = Custody(Ward(left={"front": left}), died_at=died_at)
    warden._leave(AT_ONCE)
    bequest = bequests.take(warden._settings.bequest)
    assert bequest is not None
    assert (bequest.left, bequest.died_at) == ((left,), died_at)
    assert cleaned(warden) == []
    warden._leave(LATER)
    assert cleaned(warden) == [FRONT.targets]
    assert not warden._settings.bequest.exists()


def test_what_a_machine_has_not_adopted_yet_is_left_to_nobody_who_may_never_start(
    warden: Guard,
) -> None:
    running(warden._machine, Ending())
    warden._custody = Custody(Ward(left={"front": Estate(FRONT, time.monotonic() + 60.0)}))
    warden._leave(LATER)
    assert cleaned(warden) == [FRONT.targets]
    bequest = bequests.take(warden._settings.bequest)
    assert bequest is not None
    assert bequest.left == ()


def last_line(capsys: pytest.CaptureFixture[str], event: str) -> dict[str, Any]:
    """Return the last line in the log, which is of a kind."""
    found: dict[str, Any] = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert found["event"] == event
    return found


def test_who_ends_on_a_signal_says_what_it_left_for_how_long_and_that_somebody_has_to_start_it(
    warden: Guard, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new user could not tell what had happened."""
    event = "ending on SIGUSR1: start libra-vrrp again, nothing else does"
    running(warden._machine, Ending())
    warden._custody = Custody(Ward({"front": FRONT}))
    warden._leave(LATER)
    said = last_line(capsys, event)
    assert (said["level"], said["instances_left"]) == ("warning", ["front"])
    assert 0.0 < said["seconds"] <= 1.5 * FRONT.interval
    running(warden._machine, Ending(ends_with=1))
    warden._leave(LATER)
    said = last_line(capsys, event)
    assert (said["instances_left"], said["seconds"]) == ([], 0.0)


def test_who_starts_again_says_so_at_once_and_what_it_left(
    warden: Guard, capsys: pytest.CaptureFixture[str]
) -> None:
    warden._obey({AT_ONCE})
    assert last_line(capsys, "told to leave")["signal"] == "SIGUSR2"
    running(warden._machine, Ending())
    warden._custody = Custody(Ward({"front": FRONT}))
    warden._leave(AT_ONCE)
    assert last_line(capsys, "left to a successor")["instances"] == ["front"]
    warden._custody = Custody()
    warden._leave(AT_ONCE)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("told", [AT_ONCE, LATER])
def test_who_is_told_to_end_while_it_leaves_hands_over_in_order(
    warden: Guard, told: signal.Signals
) -> None:
    running(warden._machine, Ending(act=lambda: signal.raise_signal(signal.SIGTERM)))
    warden._custody = Custody(Ward({"front": FRONT}))
    warden._leaving, warden._leaves_at = told, 0.0
    assert not warden.run()
    assert cleaned(warden) == [FRONT.targets]
    assert not warden._settings.bequest.exists()


def test_a_successor_that_has_taken_what_was_left_keeps_it(warden: Guard) -> None:
    running(warden._machine, Ending())
    warden._custody = Custody(Ward({"front": FRONT}))
    warden._leave(LATER)
    assert bequests.take(warden._settings.bequest) is not None
    signal.raise_signal(signal.SIGTERM)
    assert warden.is_taken_back()
    assert cleaned(warden) == []


def test_who_starts_again_lets_the_reporter_end_first_and_starts_no_other(
    warden: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = list[str]()

    def start(child: Child, *_: object) -> int:
        started.append(child.word)
        raise REFUSAL

    monkeypatch.setattr(Child, "start", start)
    signal.raise_signal(AT_ONCE)
    assert warden.run()
    assert started.count("reporter") == 1
    assert said(warden) == [Farewell()]


def test_who_ends_lets_the_reporter_take_the_machines_last_words(
    warden: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Child, "has_ended", lambda *_: False)
    last = reports.dumps(Numbered("1", 1, Awake()))
    running(warden._machine, Ending(act=lambda: warden._reports.machines.send(last)))
    reporter = running(warden._reporter, Ending())
    signal.raise_signal(LATER)
    assert not warden.run()
    assert said(warden) == [Awake(), Farewell()]
    assert (reporter.told, reporter.ends_with, reporter.is_reaped) == ([], 0, True)


@pytest.mark.parametrize("told", [signal.SIGTERM, LATER])
def test_a_service_is_at_its_orderly_end_before_the_reporter_is(
    warden: Guard, monkeypatch: pytest.MonkeyPatch, told: signal.Signals
) -> None:
    """Found by review: a guard killed while a reporter was slow counted as an unclean exit."""
    monkeypatch.setattr(Child, "has_ended", lambda *_: False)
    steps = list[str]()
    machine = running(warden._machine, Ending(act=lambda: steps.append("machine")))
    running(warden._reporter, Ending(act=lambda: steps.append("reporter")))
    warden._rest = lambda: steps.append("at rest")
    signal.raise_signal(told)
    assert not warden.run()
    assert machine.told == [told]
    assert steps == ["machine", "at rest", "reporter"]


def test_who_starts_again_is_at_no_end(warden: Guard) -> None:
    running(warden._machine, Ending())
    warden._rest = lambda: pytest.fail("the mark is the next one's too")
    warden._leave(AT_ONCE)


def test_a_config_is_to_be_looked_at_again_is_said_as_soon_as_there_is_room(
    warden: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = reports.dumps(Numbered("1", 1, Awake()))
    with suppress(BlockingIOError):
        while True:
            warden._reports.machines.send(word)
    warden._obey({signal.SIGHUP})
    warden._obey({signal.SIGHUP})
    assert warden._reports.due_at(7.0) > 7.0
    assert Reread() not in said(warden)
    monkeypatch.setattr(warden._signals, "caught", set)
    warden._wait(0.0)
    assert said(warden) == [Reread()]
    assert warden._reports.due_at(7.0) == float("inf")


def test_a_will_of_any_size_arrives_through_a_socket_as_it_is(warden: Guard) -> None:
    targets = tuple(Target(2, IPv4Address(number)) for number in range(20_000))
    large = replace(FRONT, targets=targets)
    with warden._line.opened() as (line, memory):
        its = socket.socket(fileno=os.dup(line))
        page = Page(memory)
    with its:
        its.setblocking(False)
        its.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 17)
        pulse = Pulse(its, page)
        pulse._say(large)
        pulse._say(Settled())
        while pulse.is_waiting:
            warden._hear()
            pulse._flush()
        warden._hear()
    assert warden._custody.ward == Ward({"front": large})
    assert warden._custody.needs > 0.0


def test_what_makes_no_sense_to_the_guard_is_told(
    warden: Guard, capsys: pytest.CaptureFixture[str]
) -> None:
    with warden._line.opened() as (line, _), socket.socket(fileno=os.dup(line)) as its:
        its.send(b"{")
    warden._hear()
    assert "the machine says what makes no sense" in capsys.readouterr().err


@pytest.mark.parametrize("bequest", [None, Bequest("here", 3.0, 0.5, (Estate(FRONT, 4.5),))])
def test_a_guard_begins_with_what_was_left_to_it(
    warden: Guard, tmp_path: Path, bequest: Bequest | None
) -> None:
    heir = Guard(Settings("a", tmp_path), bequest, 2.5)
    for one in (heir._reports.machines, heir._reports.reporters, heir._signals._woken):
        one.close()
    assert heir._custody.ward.left == ({} if bequest is None else {"front": bequest.left[0]})
    assert heir._arguments([])[1:] == ["-inf" if bequest is None else "3.0", "2.5"]
    assert warden._custody.ward == Ward()
