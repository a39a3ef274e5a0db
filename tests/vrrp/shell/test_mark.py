"""The mark of a working service is on disk from its start to its orderly end."""

from pathlib import Path
from threading import Event

import pytest

from libra_vrrp.shell import mark
from libra_vrrp.shell.mark import Mark


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vrrp-guard" / "works"


def test_it_is_there_until_it_is_lifted_and_the_next_one_finds_nothing(file: Path) -> None:
    first = Mark(file)
    assert not first.is_found
    first.put()
    first.lift()
    assert not file.exists()
    Path(file).touch()  # the next one's
    first.lift()
    assert file.exists()
    file.unlink()
    assert not Mark(file).is_found
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_who_does_not_lift_it_leaves_it_to_be_found(file: Path) -> None:
    killed = Mark(file)
    killed.put()
    killed._writing.join()
    after = Mark(file)
    assert after.is_found
    after.put()
    after.lift()
    assert not Mark(file).is_found


def test_a_disk_that_takes_nothing_is_told_and_holds_nobody_up(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.parent.touch()
    made = Mark(file)
    made.put()
    made.lift()
    told = capsys.readouterr().err
    assert "no unclean exit will be noticed" in told
    assert "will be taken for an unclean exit" in told


def test_a_disk_that_does_not_answer_holds_no_end_up(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that waits for it is left behind."""
    answers = Event()
    monkeypatch.setattr(mark, "PATIENCE", 0.01)
    monkeypatch.setattr(mark, "keep", lambda *_: answers.wait())
    made = Mark(file)
    made.put()
    made.lift()
    assert made._writing.is_alive()
    answers.set()
    made._writing.join()
