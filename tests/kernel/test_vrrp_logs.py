"""What libra-vrrp logs: JSON lines where no terminal is, and a log that nobody reads."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kernel.conftest import Pair

pytestmark = pytest.mark.network


@contextmanager
def unread(path: Path) -> Iterator[None]:
    """Make a full pipe at *path* that stays open and unread."""
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        with pytest.raises(BlockingIOError):
            _fill(pipe)
        yield
    finally:
        os.close(pipe)


def _fill(pipe: int) -> None:
    while True:
        os.write(pipe, b"\n" * 4096)


def test_every_process_logs_json_lines(pair: "Pair", tmp_path: Path) -> None:
    pair.a.wrapper = ("sh", "-c", f'exec "$0" "$@" 2> {tmp_path}/said')
    pair.a.start()
    pair.soon(pair.a.owns, "a owns the address")
    pair.a.write()
    (pair.a.state / "vrrp" / "routers.jsonl").write_text("garbled")
    pair.a.signal(signal.SIGHUP, "machine")
    said = tmp_path / "said"
    pair.soon(lambda: "cannot be used" in said.read_text(), "the machine complains")
    pair.a.stop()
    lines = [json.loads(line) for line in said.read_text().splitlines()]
    assert {(line["service"], line["node"]) for line in lines} == {("vrrp", "a")}
    assert {"child started", "the machine works"} <= {line["event"] for line in lines}


def test_a_log_that_nobody_reads_stalls_neither_machine_nor_parent(
    pair: "Pair", tmp_path: Path
) -> None:
    with unread(tmp_path / "pipe"):
        pair.a.wrapper = ("sh", "-c", f'exec "$0" "$@" 2<> {tmp_path}/pipe')
        pair.a.start()
        pair.soon(pair.a.owns, "a owns the address")
        (pair.a.state / "vrrp" / "routers.jsonl").write_text("garbled")
        with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.1") as adverts:
            for _ in range(300):
                pair.a.signal(signal.SIGHUP, "machine")
            adverts.wait_for("prio 150")
        before = pair.a.pid("machine")
        pair.a.signal(signal.SIGKILL, "machine")
        pair.soon(lambda: pair.a.pid("machine") not in {None, before}, "another machine runs")
        pair.a.write()
        pair.a.signal(signal.SIGHUP, "machine")
        pair.soon(pair.a.owns, "a owns the address again")
        pair.a.stop()
    assert pair.a.parent is not None
    assert pair.a.parent.returncode == 0
