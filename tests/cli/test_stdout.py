"""Standard output that is lost: full, closed, or read by nobody."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from libra_cli.testing import LIBRA, Host

CONFIG = """\
version: 1
nodes: {a: {address: 10.0.0.2}}
services:
  web:
    address: 192.0.2.10:80
    check: tcp
    backends: {w1: "127.0.0.1:1"}
"""
WORDS = [
    ["check", "{file}"],
    ["check", "{file}", "--probe"],
    ["check", "{file}", "--json"],
    ["probe", "web/w1", "--config", "{file}"],
    ["probe", "web/w1", "--config", "{file}", "--json"],
    ["--version"],
    ["up", "--help"],
]


def given(host: Host, words: list[str]) -> list[str]:
    file = host.write(CONFIG)
    return [LIBRA, *(word.format(file=file) for word in words)]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_a_full_disk_is_told_in_a_sentence(host: Host, words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            given(host, words), env=host.environ, stdout=full, stderr=subprocess.PIPE, text=True,
            timeout=60, check=False,
        )  # fmt: skip
    assert done.stderr == "libra: standard output: No space left on device\n"
    assert done.returncode == 1


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_who_does_not_read_on_is_told_nothing(host: Host, words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            given(host, words), env=host.environ, stdout=writer, stderr=subprocess.PIPE, text=True,
            timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 141


def test_output_that_nobody_opened_is_not_missed(host: Host) -> None:
    file = host.write(CONFIG)
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {LIBRA} probe web/w1 --config {file} >&-"],
        env=host.environ, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")


def test_an_error_that_cannot_be_said_keeps_its_status(host: Host) -> None:
    script = "from libra_cli.app import main; main()"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", script, "status"], env=host.environ, stderr=full,
            stdout=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 3


def test_the_program_of_the_service_ends_likewise(host: Host) -> None:
    program = str(Path(LIBRA).with_name("libra-health"))
    words = [program, "probe", "--config", host.write(CONFIG), "--node", "a", "--trace"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            words, env=host.environ, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
            check=False,
        )  # fmt: skip
    assert done.stderr == "libra-health: standard output: No space left on device\n"
    assert done.returncode == 1
