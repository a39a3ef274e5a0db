"""Strays: processes that an earlier supervisor left."""

import json
import os
import signal
import subprocess
from pathlib import Path

from libra_cli.strays import Strays, start_time


def test_what_an_earlier_supervisor_left_is_ended(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], process_group=0) as left:
        Strays(tmp_path / "list").note("health", left.pid)
        assert Strays(tmp_path / "list").end() == ["health"]
        assert left.wait(5) == -signal.SIGTERM
    assert Strays(tmp_path / "list").end() == []


def test_a_number_that_another_process_has_now_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(json.dumps({"health": [os.getpid(), start_time(os.getpid()) - 1]}))
    assert Strays(path).end() == []


def test_a_list_that_cannot_be_read_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("nonsense")
    assert Strays(tmp_path / "list").end() == []


def test_a_process_that_is_gone_has_no_start_time() -> None:
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert start_time(ended.pid) == 0
    assert start_time(ended.pid) == 0
