"""Preparing an interface from a container goes through the directory that stands for /proc/sys."""

import subprocess
import sys
from pathlib import Path

import pytest

from libra_vrrp.shell.privileges import prepare_interface, sysctl


def conf(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand *directory* for /proc/sys, with the settings of one interface."""
    monkeypatch.setenv("LIBRA_PROC_SYS", str(directory))
    path = directory / "net/ipv4/conf/eth9/promote_secondaries"
    path.parent.mkdir(parents=True)
    path.write_text("0")
    return path


def test_promote_secondaries_is_set_where_the_mount_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = conf(tmp_path, monkeypatch)
    assert prepare_interface("eth9")
    assert path.read_text() == "1"


def test_an_interface_that_cannot_be_prepared_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf(tmp_path, monkeypatch)
    assert not prepare_interface("eth8")


def test_what_is_wrong_with_an_interface_is_told_with_what_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = conf(tmp_path, monkeypatch).parent
    settings.with_name("eth0.100").mkdir()
    word = "net.ipv4.conf.eth0/100.promote_secondaries"
    assert sysctl("eth0.100") == f"{word} is 0: run `sysctl -w {word}=1` on the host"
    missing = f"{settings.with_name('wg9')} is missing"
    assert sysctl("wg9") == f"{missing}: IPv4 is off on wg9, give it an MTU of 68 or more"
    monkeypatch.setenv("LIBRA_PROC_SYS", str(tmp_path / "elsewhere"))
    mount = f"{tmp_path}/elsewhere/net is missing: mount the host's /proc/sys/net there"
    assert sysctl("eth9") == mount


def test_a_thread_of_the_machine_costs_little_locked_memory() -> None:
    """What a thread may write to is all there where memory is locked: 8 MiB by default.

    VmData counts it whether or not this user may lock memory.
    """
    program = """
import threading
from pathlib import Path
from libra_vrrp.shell.privileges import urgent

def writable() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmData"))

urgent()
before = writable()
done = threading.Event()
threading.Thread(target=done.wait).start()
print(writable() - before)
done.set()
"""
    grown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert int(grown) < 1024  # kB
