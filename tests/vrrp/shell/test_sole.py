"""Who works with a state directory: one at a time, also while it becomes what is installed now."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from libra_vrrp.settings import CONFIG as CONFIG_WRONG
from libra_vrrp.shell import sole
from libra_vrrp.shell.sole import Lock

PATIENCE = 60.0
CONFIG = """\
version: 1
nodes: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}}
instances:
  front: {interface: eth0, vrid: 51, addresses: [192.0.2.10/24]}
"""
AGAIN = """\
import os, sys
from pathlib import Path
from libra_vrrp.shell.sole import Lock
file = Path(sys.argv[1])
lock = Lock(file)
if sys.argv[2] == "first":
    lock.carry()
    os.execv(sys.executable, [sys.executable, "-c", os.environ["AGAIN"], str(file), "then"])
print("here", "LIBRA_VRRP_LOCK" in os.environ, flush=True)
sys.stdin.read()
"""


def is_free(file: Path) -> bool:
    """Say whether nobody has the lock."""
    with file.open("r+") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "state" / "vrrp-guard" / "lock"


@pytest.fixture
def first(lock: Path) -> Iterator[IO[str]]:
    """Have the lock until what is returned is closed."""
    lock.parent.mkdir(parents=True)
    with lock.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield opened


@pytest.fixture
def second(tmp_path: Path, first: IO[str]) -> Iterator["subprocess.Popen[str]"]:
    """Start a second one, as from a terminal, while we have the lock."""
    assert not first.closed
    (tmp_path / "libra.yaml").write_text(CONFIG)
    told = {"LIBRA_STATE": str(tmp_path / "state"), "LIBRA_VRRP_UID": str(os.geteuid())}
    with subprocess.Popen(
        [sys.executable, "-m", "libra_vrrp", "--config", "libra.yaml", "--node", "a"],
        env=os.environ | told,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as started:
        yield started
        started.kill()


def line(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return what a process says next."""
    assert process.stderr is not None
    found: dict[str, Any] = json.loads(process.stderr.readline())
    return found


def test_a_second_one_waits_says_for_whom_and_writes_nothing(
    tmp_path: Path, second: "subprocess.Popen[str]"
) -> None:
    """Found by review: it replaced the list of routers that the first works by."""
    kept = tmp_path / "state" / "vrrp" / "routers.jsonl"
    kept.parent.mkdir(parents=True)
    kept.write_text("the first one's")
    said = line(second)
    assert said["event"] == "waiting for the state directory"
    assert said["directory"] == str(tmp_path / "state")
    assert f"process {os.getpid()} (" in said["why"]
    second.terminate()
    assert second.wait(PATIENCE) == 0
    assert kept.read_text() == "the first one's"


def test_what_is_asked_of_who_works_does_not_end_who_waits(
    second: "subprocess.Popen[str]",
) -> None:
    """Found by review: SIGHUP ended it, without a word."""
    assert line(second)["event"] == "waiting for the state directory"
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        second.send_signal(number)
        said = line(second)
        assert (said["event"], said["signal"]) == (
            "a signal has no effect: nothing works here yet",
            number.name,
        )
    second.send_signal(signal.SIGINT)
    assert line(second)["event"] == "told to end while it waited"
    assert second.wait(PATIENCE) == 0


def test_who_is_interrupted_on_a_terminal_while_it_waits_says_one_line(
    second: "subprocess.Popen[str]",
) -> None:
    """Found by review: what had looked at the config waited beside it, and left a traceback."""
    assert line(second)["event"] == "waiting for the state directory"
    os.killpg(second.pid, signal.SIGINT)
    _, said = second.communicate(timeout=PATIENCE)
    assert [json.loads(each)["event"] for each in said.splitlines()] == [
        "told to end while it waited"
    ]


def test_who_has_waited_goes_by_the_config_as_it_is_then(
    tmp_path: Path, first: IO[str], second: "subprocess.Popen[str]"
) -> None:
    """Found by review: its routers began as the file had them when it began to wait."""
    assert line(second)["event"] == "waiting for the state directory"
    (tmp_path / "libra.yaml").write_text(CONFIG.replace("vrid: 51", "vrid: 300"))
    first.close()
    _, said = second.communicate(timeout=PATIENCE)
    assert second.returncode == CONFIG_WRONG
    assert "libra.yaml:4:34: instances.front.vrid" in said


MASKED = """\
import signal, sys
from pathlib import Path
from libra_vrrp.shell.sole import Lock
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
Lock(Path(sys.argv[1]))
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
print(signal.SIGTERM in blocked, signal.getsignal(signal.SIGALRM) == signal.SIG_DFL, flush=True)
"""
"""What a start in place comes to where somebody has replaced the file of its lock."""


@pytest.mark.parametrize("is_told_to_end", [True, False])
def test_who_waits_with_signals_blocked_hears_them_and_blocks_them_again(
    lock: Path, *, is_told_to_end: bool
) -> None:
    lock.parent.mkdir(parents=True)
    with lock.open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [sys.executable, "-c", MASKED, str(lock)],
            env={name: told for name, told in os.environ.items() if name != "LIBRA_VRRP_LOCK"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert line(process)["event"] == "waiting for the state directory"
        if is_told_to_end:
            process.terminate()
            assert process.wait(PATIENCE) == 0
    said, _ = process.communicate(timeout=PATIENCE)
    assert said == ("" if is_told_to_end else "True True\n")


def reminded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *looks: tuple[float, str]
) -> list[str]:
    """Return who was named, by looks at times at which somebody has the lock."""
    now = [0.0]
    reminder = sole._Reminder(0, Path("/state/vrrp-guard/lock"))
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for at, who in looks:
        now[0] = at
        monkeypatch.setattr(sole, "_holder", lambda _, who=who: who)
        reminder.remind()
    told = [json.loads(said) for said in capsys.readouterr().err.splitlines()]
    return [one["why"].partition(" works there")[0] for one in told]


def test_it_is_said_again_after_a_minute_then_seldom_and_at_once_of_another_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = ((0, "one"), (59, "one"), (60, "one"), (179, "one"), (180, "one"), (181, "two"))
    assert reminded(monkeypatch, capsys, *looks) == ["one", "one", "one", "two"]


def test_who_has_the_lock_may_not_be_seen(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock.parent.mkdir(parents=True)
    with lock.open("w") as first:
        assert "cannot be seen from here" in sole._holder(first.fileno())
        fcntl.flock(first, fcntl.LOCK_EX)
        assert sole._holder(first.fileno()).startswith(f"process {os.getpid()} (")
        monkeypatch.setattr(sole, "_LOCKS", lock.parent / "none")
        assert "cannot be seen from here" in sole._holder(first.fileno())


def test_the_lock_is_held_through_an_exec_and_ends_with_the_process(lock: Path) -> None:
    lock.parent.mkdir(parents=True)
    process = subprocess.Popen(
        [sys.executable, "-c", AGAIN, str(lock), "first"],
        env=os.environ | {"AGAIN": AGAIN},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here False\n"
    assert not is_free(lock)
    process.communicate(timeout=PATIENCE)
    until = time.monotonic() + PATIENCE
    while not is_free(lock):
        assert time.monotonic() < until


def test_what_was_carried_from_elsewhere_is_no_lock(
    lock: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for told in ("", "no number", "9999"):
        monkeypatch.setenv("LIBRA_VRRP_LOCK", told)
        held = Lock(lock)
        assert not is_free(lock)
        os.close(held._descriptor or 0)
    with other.open("w") as opened:
        monkeypatch.setenv("LIBRA_VRRP_LOCK", str(opened.fileno()))
        held = Lock(lock)
        assert not is_free(lock)
    os.close(held._descriptor or 0)


def test_without_a_file_there_is_no_lock_and_no_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_text("no directory")
    Lock(tmp_path / "state" / "vrrp-guard" / "lock").carry()
    assert "cannot be kept to ourselves" in capfd.readouterr().err
    assert "LIBRA_VRRP_LOCK" not in os.environ
