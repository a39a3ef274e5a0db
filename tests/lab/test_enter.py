"""Commands in a running lab, from outside: what they print, what they return, what they leave."""

import hashlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_lab.enter import Wanted, read
from libra_lab.frames import Frame, Kind
from libra_lab.places import connect, running
from libra_lab.waiting import wait_until

ROOT = Path(__file__).parents[2]
PATIENCE = 60
pytestmark = pytest.mark.skipif("LIBRA_LAB" in os.environ, reason="a lab kernel boots on a host")
TOPOLOGY = """
import threading
from libra_lab.inside import note
from libra_lab.topology import Topology
with Topology() as topology:
    for name in "ab":
        topology.network(f"net{name}")
        node = topology.node(name, {"eth0": (f"net{name}", "10.7.0.1/24")})
        note(node.namespace, {"LIBRA_STATE": f"/state/{name}"})
    print("up", flush=True)
    threading.Event().wait()
"""


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], Wanted()),
        (["--"], Wanted()),
        (["a"], Wanted(None, "a")),
        (["a", "--", "ls", "--"], Wanted(None, "a", ("ls", "--"))),
        (["a", "ls", "--", "x"], Wanted(None, "a", ("ls", "--", "x"))),
        (["--lab", "5", "--", "ls"], Wanted(5, None, ("ls",))),
    ],
    ids=str,
)
def test_a_command_line_names_a_lab_a_node_and_a_command(words: list[str], wanted: Wanted) -> None:
    assert read(words) == wanted


@pytest.mark.parametrize("words", [["--lab"], ["--lab", "x"], ["--uml"]], ids=str)
def test_any_other_command_line_is_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match=r"--lab wants the number|no option --uml"):
        read(words)


def wait_for_door(number: int) -> None:
    def is_open() -> bool:
        return number in [place.lab for place in running()]

    wait_until(is_open, "the lab can be entered", PATIENCE)


@pytest.fixture(scope="module")
def lab() -> Iterator[str]:
    """Boot a lab with two nodes; yield its number."""
    script = ["lab/run", "--uml", "--mem", "1G", "--", ".venv/bin/python", "-c", TOPOLOGY]
    with subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        assert made.stdout.readline() == "up\n"
        wait_for_door(made.pid)
        yield str(made.pid)
        made.send_signal(signal.SIGTERM)


def enter(lab: str, *words: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    argv = ["lab/enter", "--lab", lab, *words]
    return subprocess.run(
        argv, cwd=ROOT, input=given, capture_output=True, check=False, timeout=PATIENCE
    )


def test_a_command_runs_in_the_network_of_its_node(lab: str) -> None:
    script = "echo $LIBRA_NODE $LIBRA_STATE $LIBRA_LAB; id -u; pwd; cat /sys/class/net/eth0/carrier"
    done = enter(lab, "b", "sh", "-c", f"{script}; ip -br addr show eth0; echo noise >&2; exit 7")
    told = done.stdout.decode().split()
    assert told[:6] == ["b", "/state/b", "uml", "0", str(ROOT), "1"]
    assert "10.7.0.1/24" in told
    assert (done.stderr, done.returncode) == (b"noise\n", 7)


def test_without_a_node_it_runs_in_the_lab_itself(lab: str) -> None:
    done = enter(lab, "--", "sh", "-c", "ip netns | grep -c lab; ls /sys/class/net")
    assert done.stdout.split() == [b"3", b"lo"]


def test_megabytes_pass_both_ways_unharmed(lab: str) -> None:
    data = hashlib.shake_256(b"seed").digest(1_500_000)
    done = enter(lab, "--", "cat", given=data)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--", "sh", "-c", "kill -9 $$"], 137, ""),
        (["a", "nosuch"], 127, "lab/enter: nosuch: No such file or directory\n"),
        (["c", "true"], 125, "lab/enter: no node of this lab is called c: it has a, b"),
        (["--", "sh", "-c", "sleep 60 & exit 3"], 3, ""),
    ],
    ids=["killed", "no command", "no node", "left behind"],
)
def test_how_it_ended_is_told(lab: str, words: list[str], status: int, told: str) -> None:
    done = enter(lab, *words)
    assert (done.returncode, done.stderr.decode()[: len(told)]) == (status, told)


def test_a_reader_that_leaves_ends_the_command_and_no_other(lab: str) -> None:
    script = f"lab/enter --lab {lab} -- sh -c 'while echo y; do :; done' | head -1"
    done = subprocess.run(
        ["sh", "-c", script], cwd=ROOT, capture_output=True, check=False, timeout=PATIENCE
    )
    assert done.stdout == b"y\n"
    gone = "until ! pgrep -f 'while echo [y]'; do sleep 0.1; done; echo gone"
    assert enter(lab, "--", "sh", "-c", gone).stdout.splitlines()[-1:] == [b"gone"]


def test_an_interrupt_reaches_the_command(lab: str) -> None:
    script = "trap 'echo cleaned; exit 42' INT; echo up; while :; do sleep 0.1; done"
    argv = ["lab/enter", "--lab", lab, "--", "sh", "-c", script]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE) as made:
        assert made.stdout is not None
        assert made.stdout.readline() == b"up\n"
        made.send_signal(signal.SIGINT)
        assert made.communicate(timeout=PATIENCE)[0] == b"cleaned\n"
        assert made.returncode == 42


def test_at_a_terminal_it_has_a_terminal(lab: str) -> None:
    ours, theirs = pty.openpty()
    argv = ["lab/enter", "--lab", lab, "a"]
    with subprocess.Popen(argv, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs) as made:
        os.close(theirs)
        seen = b""
        while not seen.endswith(b"# "):
            seen += os.read(ours, 1000)
        os.write(ours, b"tty; exit 9\r")
        assert made.wait(PATIENCE) == 9
        assert b"/dev/pts/" in os.read(ours, 1000)
    os.close(ours)


def test_a_visitor_that_sends_nonsense_harms_no_other(lab: str) -> None:
    (place,) = [each for each in running() if str(each.lab) == lab]
    for nonsense in (b"{}", b"[]", b"{"):
        sock = connect(place)
        assert sock is not None
        with sock:
            sock.settimeout(PATIENCE)
            sock.sendall(Frame(0, Kind.COMMAND, nonsense).encode())
            assert b"lab/enter: " in sock.recv(1 << 10)
    assert enter(lab, "--", "echo", "well").stdout == b"well\n"


def test_from_a_directory_that_is_gone_one_sentence_says_so(tmp_path: Path) -> None:
    script = f"cd {tmp_path} && rmdir {tmp_path} && exec {ROOT}/lab/enter -- true"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    told = "lab/enter: this directory is gone: go to one that is there\n"
    assert (done.returncode, done.stderr) == (125, told)


def test_where_no_lab_runs_one_sentence_says_so() -> None:
    done = enter("1", "--", "true")
    told = b"lab/enter: no lab 1 is running: start one with `make demo KEEP=1` or lab/run\n"
    assert (done.stderr, done.returncode) == (told, 125)


def test_a_visit_ends_with_its_lab() -> None:
    script = [
        sys.executable,
        "lab/run",
        "--uml",
        "--mem",
        "1G",
        "--",
        "sh",
        "-c",
        "echo up; sleep 60",
    ]
    with subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE) as made:
        assert made.stdout is not None
        assert made.stdout.readline() == b"up\n"
        wait_for_door(made.pid)
        argv = ["lab/enter", "--lab", str(made.pid), "--", "sh", "-c", "echo in; sleep 60"]
        pipe = subprocess.PIPE
        with subprocess.Popen(argv, cwd=ROOT, stdout=pipe, stderr=pipe) as visit:
            assert visit.stdout is not None
            assert visit.stdout.readline() == b"in\n"
            made.terminate()
            assert visit.communicate(timeout=PATIENCE)[1] == b"lab/enter: the lab ended\n"
            assert visit.returncode == 125
