"""A native lab leaves the kernel it runs on as it was."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_lab.places import running
from libra_lab.waiting import wait_until

pytestmark = pytest.mark.kernel
RUN = str(Path(__file__).parents[2] / "lab/run")
ENTER = str(Path(RUN).with_name("enter"))
INSIDE = "echo $LIBRA_NODE $LIBRA_LAB $(ls /run/libra-lab /sys/class/net | grep -v :)"


def native(script: str, *options: str) -> "subprocess.CompletedProcess[str]":
    argv = [RUN, "--native", *options, "--", "sh", "-c", script]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_a_native_lab_can_be_entered() -> None:
    script = "ip netns add lab1.0.n; touch /run/libra-lab/here; echo up; sleep 60"
    argv = [RUN, "--native", "--", "sh", "-c", script]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as lab:
        assert lab.stdout is not None
        assert lab.stdout.readline() == "up\n"
        wait_until(lambda: lab.pid in [place.lab for place in running()], "it can be entered")
        visit = [ENTER, "--lab", str(lab.pid), "n", "sh", "-c", f"{INSIDE}; exit 7"]
        done = subprocess.run(visit, capture_output=True, text=True, check=False, timeout=60)
        assert done.stdout.removesuffix("tunl0\n").split() == ["n", "native", "here", "lo"]
        assert done.returncode == 7
        lab.terminate()


def command_lines() -> Iterator[bytes]:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield entry.read_bytes()


def test_a_native_lab_has_an_empty_table_of_its_own() -> None:
    add = "ipvsadm -A -t 10.9.9.9:80 && ipvsadm -Ln && ip netns add left"
    first = native(f"{add}; exit 7")
    second = native("ipvsadm -Ln; ip netns")
    assert "10.9.9.9:80" in first.stdout
    assert first.returncode == 7
    assert second.stdout.startswith("IP Virtual Server")
    assert "10.9.9.9" not in second.stdout
    assert "left" not in second.stdout


def test_the_loopback_is_up_and_the_caller_has_other_networks() -> None:
    told = native("ip -br link show up; ip netns add x && ip netns").stdout.split()
    assert told[0] == "lo"
    assert "LOWER_UP" in told[3]
    assert told[4:] == ["x"]


def test_processes_left_behind_end_with_the_command() -> None:
    done = native("setsid sleep 61.5 & exit 0")
    assert done.returncode == 0
    deadline = time.monotonic() + 30
    while any(b"61.5" in line for line in command_lines()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_command_that_does_not_exist_is_named() -> None:
    argv = [RUN, "--native", "--", "nosuch"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 127
    assert done.stderr == "lab/run: nosuch: No such file or directory\n"


def test_a_timeout_is_an_exit_status_of_its_own() -> None:
    assert native("sleep 60", "--timeout", "1").returncode == 124
