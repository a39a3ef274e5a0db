"""The demo's own honesty: what ends is noticed, what comes twice is seen."""

import subprocess
import time
from pathlib import Path

import pytest

from libra_lab.demo.director import START_TIMEOUT, Director, DirectorEnded
from libra_lab.demo.peers import Hook, Ops
from libra_lab.node import Node


def director(folder: Path, script: str) -> Director:
    """Return a director whose `libra up` is a shell script."""
    made = Director(Node("a", "nowhere"), folder, folder / "libra.yaml")
    with made.output.open("w") as output:
        made.process = subprocess.Popen(["sh", "-c", script], stdout=output, text=True)
    return made


def test_a_director_that_ended_is_not_waited_for(tmp_path: Path) -> None:
    ended = director(tmp_path, "echo first; echo no nats-server; exit 3")
    assert ended.process is not None
    assert ended.process.wait(10) == 3
    began = time.monotonic()
    with pytest.raises(DirectorEnded, match=r"(?s)a: libra up ended with status 3.*no nats-server"):
        ended.wait_until(lambda: False, "the table is full")
    assert time.monotonic() - began < START_TIMEOUT / 2


def test_a_director_that_runs_is_waited_for(tmp_path: Path) -> None:
    running = director(tmp_path, "exec sleep 60")
    assert running.process is not None
    try:
        moments = iter([False, False, True])
        assert running.wait_until(lambda: next(moments), "the third look") > 0
        with pytest.raises(TimeoutError, match="never: not within"):
            running.wait_until(lambda: False, "never", 0.1)
    finally:
        running.process.kill()
        running.process.wait()


def test_a_webhook_that_came_twice_is_seen() -> None:
    hooks = [Hook("backend.down", "web/w1", "/lvs/a/health", key, True, 0.0) for key in "aabc"]
    assert Ops(hooks=hooks).repeated() == {"a": 2}
    assert Ops(hooks=hooks[1:]).repeated() == {}
