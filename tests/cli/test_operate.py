"""What an operator may write where time is meant."""

import json
import socket
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from libra_cli.app import app
from libra_cli.exits import CommandError


@pytest.mark.parametrize("duration", ["99999999999h", "soon", "-1s", ""])
def test_a_duration_that_is_none_is_refused_before_anybody_is_asked(duration: str) -> None:
    words = ["drain", "backend.web.w1", "--for", duration, "--node", "a"]
    found = CliRunner().invoke(app, words).exception
    assert isinstance(found, CommandError)
    assert str(found).startswith("--for: ")


def test_no_more_events_are_asked_for_than_memory_holds() -> None:
    result = CliRunner().invoke(app, ["events", "--last", "9" * 20, "--node", "a"])
    assert result.exit_code == 2
    assert "--last" in result.output


@pytest.mark.parametrize(
    ("others", "said"),
    [
        pytest.param([], "handed over: its master", id="alone"),
        pytest.param(
            ["inside", "side"],
            "handed over with inside and side of its group: its master",
            id="group",
        ),
    ],
)
def test_a_failover_says_what_moves_with_it(tmp_path: Path, others: list[str], said: str) -> None:
    entity = ["instance", "outside"]
    state = {"entity": entity, "failover": True, "until": None, "mode": "ready", "weight": None}
    body = json.dumps({"state": state, "sequence": 7, "with": others}).encode()
    console = socket.socket(socket.AF_UNIX)
    console.bind(str(tmp_path / "console.sock"))
    console.listen()

    def answer() -> None:
        connection, _ = console.accept()
        with connection:
            asked_for = b""
            while not asked_for.endswith(b"}"):
                asked_for += connection.recv(4096)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )

    asked = threading.Thread(target=answer)
    asked.start()
    words = ["failover", "outside", "--node", "a", "--run", str(tmp_path)]
    result = CliRunner().invoke(app, words)
    asked.join(60)
    console.close()
    assert result.output == (
        f"instance.outside is {said} gives it up and holds back (sequence 7)\n"
    )
