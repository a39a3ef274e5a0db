"""Who works with a state directory: one at a time, also while it becomes what is installed now."""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

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


def test_a_second_one_waits_and_writes_nothing(tmp_path: Path, lock: Path) -> None:
    """Found by review: it replaced the list of routers that the first works by."""
    kept = tmp_path / "state" / "vrrp" / "routers.jsonl"
    kept.parent.mkdir(parents=True)
    kept.write_text("the first one's")
    lock.parent.mkdir()
    (tmp_path / "libra.yaml").write_text(CONFIG)
    told = {"LIBRA_STATE": str(tmp_path / "state"), "LIBRA_VRRP_UID": str(os.geteuid())}
    with lock.open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [sys.executable, "-m", "libra_vrrp", "--config", "libra.yaml", "--node", "a"],
            env=os.environ | told,
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr is not None
        said = second.stderr.readline()
        second.terminate()
        second.communicate(timeout=PATIENCE)
    assert "waiting for the state directory" in said
    assert kept.read_text() == "the first one's"


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
