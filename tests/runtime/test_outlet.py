"""Standard error that nobody reads holds nobody up, and says later what is missing."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_runtime.outlet import Outlet

LINE = "x" * 99 + "\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    yield reading, writing
    os.close(reading)  # where the outlet's thread waits, it gives up


def note(count: int) -> str:
    return f"{count} dropped\n"


def test_lines_go_out_whole_and_in_order(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    outlet = Outlet(writing, note)
    outlet.write("on")
    outlet.write("e\ntwo\n")
    outlet.drain(5)
    assert os.read(reading, 100) == b"one\ntwo\n"
    assert outlet.dropped == 0


def test_what_has_no_room_is_dropped_counted_and_told_in_its_place(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    outlet = Outlet(writing, note, limit=8000)
    for _ in range(1000):
        outlet.write(LINE)
    assert outlet.dropped == 1000 - 80
    with open(reading, closefd=False) as reader:
        kept = [reader.readline() for _ in range(80)]
        outlet.write("at last\n")
        assert kept == [LINE] * 80
        assert [reader.readline(), reader.readline()] == ["920 dropped\n", "at last\n"]


def test_what_was_dropped_is_told_although_nothing_follows(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    outlet = Outlet(writing, note, limit=8000)
    for _ in range(1000):
        outlet.write(LINE)
    with open(reading, closefd=False) as reader:
        assert [reader.readline() for _ in range(81)] == [LINE] * 80 + ["920 dropped\n"]


def test_a_line_alone_may_be_longer_than_the_limit(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    outlet = Outlet(writing, note, limit=10)
    outlet.write(LINE)
    outlet.drain(5)
    assert os.read(reading, 1000) == LINE.encode()


def test_a_last_line_without_an_end_goes_out_too(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    outlet = Outlet(writing, note)
    outlet.write("no end")
    outlet.drain(5)
    assert os.read(reading, 100) == b"no end\n"


def test_a_burst_loses_nothing_while_somebody_reads() -> None:
    program = (
        "from libra_runtime import logs; import structlog; logs.configure('health', 'a')\n"
        "for n in range(3000): structlog.get_logger().info('said', n=n)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    said = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line.get("n") for line in said] == list(range(3000))


@pytest.mark.parametrize("lines", [1, 20_000], ids=["one line", "more than fits"])
def test_a_process_whose_log_nobody_reads_ends_all_the_same(lines: int, tmp_path: Path) -> None:
    program = (
        "from libra_runtime import logs; import structlog; logs.configure('health', 'a')\n"
        f"for n in range({lines}): structlog.get_logger().info('said', n=n)\n"
        f"open({str(tmp_path / 'done')!r}, 'w').close()\n"
        "raise ZeroDivisionError"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) as process:
        assert process.wait(20) == 1
        assert (tmp_path / "done").exists()
        assert process.stderr is not None
        first = json.loads(process.stderr.readline())
    assert (first["service"], first["event"], first["n"]) == ("health", "said", 0)


def test_a_process_that_breaks_without_a_logging_library_says_so_in_json() -> None:
    program = (
        "import libra_runtime.plain as p\np.Plain('vrrp', 'a').install()\nraise ValueError('no')"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    said = json.loads(ended.stderr)
    assert (said["service"], said["node"], said["level"]) == ("vrrp", "a", "critical")
    assert said["exception"].endswith("ValueError: no\n")
    assert ended.returncode == 1
