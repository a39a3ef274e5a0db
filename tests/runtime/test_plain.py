"""Lines for people and lines for machines, the same from every process."""

import io
import json
import os
import re
import subprocess
import sys

import pytest

from libra_runtime.plain import FORMAT, Plain, is_text, words

LINE = {"service": "vrrp", "node": "a", "timestamp": "2026-11-23T03:12:00.5Z", "level": "info"}


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        pytest.param({"pid": 7, "why": ""}, "libra-vrrp: child started pid=7", id="facts"),
        pytest.param(
            {"instances": ["in", "out"]}, "libra-vrrp: child started instances=in,out", id="a list"
        ),
        pytest.param({"pid": 0}, "libra-vrrp: child started pid=0", id="nothing but a number"),
        pytest.param(
            {"why": 'no "key"'}, 'libra-vrrp: child started why="no \\"key\\""', id="quoted"
        ),
        pytest.param(
            {"why": "a\x1b[2Jb", "then": "a\r\nb", "who": "Zoë"},
            'libra-vrrp: child started why="a\\u001b[2Jb" then="a\\r\\nb" who=Zoë',
            id="what a terminal would obey",
        ),
        pytest.param(
            {"type": "vrrp.master", "said": "front\x9b2J is master"},
            'libra-vrrp: "vrrp.master: front\\u009b2J is master"',
            id="a decision that it would obey",
        ),
        pytest.param(
            {"type": "vrrp.master", "said": "front is master", "vrid": 51, "detail": ""},
            "libra-vrrp: vrrp.master: front is master",
            id="a decision",
        ),
        pytest.param(
            {"exception": "Traceback:\nValueError: no\n"},
            "libra-vrrp: child started\nTraceback:\nValueError: no",
            id="a traceback",
        ),
    ],
)
def test_a_line_for_people_says_what_there_is_to_say(facts: dict[str, object], told: str) -> None:
    line = words({**LINE, "event": "child started", **facts})
    assert line == f"2026-11-23T03:12:00.5Z  info      {told}"


@pytest.mark.parametrize(
    ("said", "is_for_people"), [("text", True), ("json", False), ("", False), ("xml", False)]
)
def test_who_reads_may_be_said(
    said: str, is_for_people: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setenv(FORMAT, said)
    assert is_text() is is_for_people


def test_a_light_process_and_one_with_a_logging_library_write_alike() -> None:
    program = (
        "import sys, libra_runtime.plain as p, structlog\nfrom libra_runtime import logs\n"
        "p.Plain('vrrp', 'a').log('began', 'warning', n=1)\n"
        "logs.configure('vrrp', 'a')\nstructlog.get_logger().warning('began', n=1)\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n"
        "    structlog.get_logger().exception('broke')\n"
    )
    argv = [sys.executable, "-c", program]
    environ = os.environ | {FORMAT: "text"}
    said = subprocess.run(argv, env=environ, capture_output=True, text=True, check=True).stderr
    first, second, third, *trace = [re.sub(r"^[-0-9T:.]+Z", "", one) for one in said.splitlines()]
    assert first == second == "  warning   libra-vrrp: began n=1"
    assert third == "  error     libra-vrrp: broke"
    assert trace[-1] == "ZeroDivisionError: division by zero"


def test_a_format_that_is_none_is_told() -> None:
    program = "from libra_runtime import logs; logs.configure('health', 'a')"
    environ = os.environ | {FORMAT: "xml"}
    argv = [sys.executable, "-c", program]
    said = subprocess.run(argv, env=environ, capture_output=True, text=True, check=True).stderr
    assert json.loads(said)["given"] == "xml"


def test_machines_get_one_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FORMAT, "json")
    line = json.loads(Plain("vrrp", "a").line("began", n=None))
    assert (line["event"], line["level"], line["n"], line["service"]) == (
        "began",
        "info",
        None,
        "vrrp",
    )
