"""What a service left is taken once, in the same place, and from nobody else."""

from dataclasses import replace
from pathlib import Path

import pytest

from libra_vrrp.bequest import Bequest
from libra_vrrp.guarding import Estate, Will
from libra_vrrp.shell import bequests
from libra_vrrp.shell.bequests import leave, place, take, withdraw

LEFT = Bequest(place(), 1.0, 0.125, (Estate(Will("front", 1.0, (), ()), 2.5),))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vrrp-guard" / "left.json"


def test_what_is_left_is_taken_once(file: Path) -> None:
    assert take(file) is None
    assert leave(file, replace(LEFT, needs=9.0))
    assert leave(file, LEFT)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert take(file) == LEFT
    assert take(file) is None
    assert list(file.parent.iterdir()) == []


def test_what_is_left_can_be_withdrawn_until_it_is_taken(file: Path) -> None:
    assert leave(file, LEFT)
    assert withdraw(file)
    assert not withdraw(file)
    assert take(file) is None


def test_more_than_a_successor_reads_is_not_left(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bequests, "_LARGEST", 100)
    assert not leave(file, LEFT)
    assert take(file) is None


def test_what_was_left_before_a_reboot_or_in_another_namespace_is_nothing_to_us(file: Path) -> None:
    assert leave(file, replace(LEFT, place="another boot"))
    assert take(file) is None
    assert not file.exists()


def test_what_others_may_write_is_not_believed(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leave(file, LEFT)
    file.chmod(0o666)
    assert take(file) is None
    assert "not written by this user alone" in capsys.readouterr().err


def test_what_makes_no_sense_is_told_and_gone(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leave(file, LEFT)
    file.write_bytes(b"{")
    assert take(file) is None
    assert "what was left cannot be taken over" in capsys.readouterr().err
    assert not file.exists()


def test_where_nothing_can_be_kept_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").touch()
    assert not leave(tmp_path / "full" / "left.json", LEFT)
    assert withdraw(tmp_path / "full" / "left.json")
    assert "nothing can be left to a successor" in capsys.readouterr().err
