"""A look at the config file that comes to no end of its own."""

import sys
from pathlib import Path

import pytest

from libra_vrrp.shell.looking import Looking


def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Looking:
    """Look by a program of our own."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    return Looking(tmp_path / "libra.yaml")


KILLED = "libra-vrrp: what looks at the config was ended by SIGKILL; nothing started"


def test_one_that_is_killed_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service ended without a word, as where memory is short."""
    with pytest.raises(SystemExit) as ended:
        looks(tmp_path, monkeypatch, "kill -KILL $$")
    assert ended.value.code == KILLED


@pytest.mark.parametrize("is_kept", [True, False])
def test_one_that_is_killed_before_it_kept_anything_is_told_of_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_kept: bool
) -> None:
    looking = looks(tmp_path, monkeypatch, "echo sound; read answer; kill -KILL $$")
    with pytest.raises(SystemExit) as ended:
        looking.end(is_kept=is_kept)
    assert ended.value.code == KILLED


def test_one_that_has_told_why_ends_us_with_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as ended:
        looks(tmp_path, monkeypatch, "exit 78")
    assert ended.value.code == 78
    looking = looks(tmp_path, monkeypatch, "echo sound; read answer; exit 1")
    with pytest.raises(SystemExit) as ended:
        looking.end(is_kept=True)
    assert ended.value.code == 1
