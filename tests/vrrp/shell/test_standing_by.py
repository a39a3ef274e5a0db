"""A reporter that cannot work says why, and ends when its parent does."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from libra_runtime.healthcheck import SPEAKER, trouble
from libra_runtime.nats_server import free_port
from libra_runtime.run import REFUSED
from libra_vrrp import reports
from libra_vrrp.reports import Awake, Farewell, Numbered

PATIENCE = 60.0
PROGRAM = """
import socket, sys
from libra_vrrp.shell.standing_by import stand_by
stand_by("the moon is down", socket.socket(fileno=int(sys.argv[1])))
"""


@pytest.mark.parametrize("told", [True, False], ids=["port", "no-port"])
def test_who_stands_by_tells_its_trouble_until_the_farewell(tmp_path: Path, *, told: bool) -> None:
    port = free_port() if told else 0
    place = {f"LIBRA_{each}": str(tmp_path) for each in ("STATE", "RUN")}
    environment = {**os.environ, **place, "LIBRA_NODE": "a", "LIBRA_METRICS_PORT": str(port)}
    parent, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with parent, child:
        standing = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(child.fileno())],
            env=environment,
            pass_fds=[child.fileno()],
            stderr=subprocess.PIPE,
        )
        parent.send(reports.dumps(Numbered("1", 1, Awake())))
        deadline = time.monotonic() + PATIENCE
        while told and trouble(port) != "the moon is down":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert standing.poll() is None
        if told:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
                assert answer.headers[SPEAKER] == "vrrp of a"
        parent.send(reports.dumps(Numbered("", 0, Farewell())))
        _, said = standing.communicate(timeout=PATIENCE)
    assert standing.returncode == REFUSED
    assert said.count(b"\n") == 1
    assert b'"why": "the moon is down"' in said
