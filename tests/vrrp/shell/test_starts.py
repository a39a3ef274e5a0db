"""The state file on real disks: lost, damaged, full, read-only and hanging; each told, and safe."""

import os
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from libra_runtime import kept
from libra_vrrp.seal.starts import Starts, dumps, loads
from libra_vrrp.shell import starts as module
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.starts import PATIENCE, RETRY, Book

A = b"a" * 8
GUARD = 60.0


class Desk:
    """A book with the loop that a machine would turn."""

    def __init__(self, file: Path) -> None:
        self.file, self.told, self.ready = file, list[str](), list[float]()
        self._aside, self._selector = Aside(), selectors.DefaultSelector()
        self._selector.register(self._aside.fileno(), selectors.EVENT_READ)
        self.book = Book(file, self._aside, self.told.append, self.ready.append, 0.0)

    def until(self, holds: Callable[[], bool], now: float = 0.0) -> None:
        end = time.monotonic() + GUARD
        while not holds():
            assert time.monotonic() < end, "nothing happened"
            self._selector.select(1.0)
            self._aside.follow_up(now)

    def opened(self) -> int:
        self.until(lambda: self.book.own is not None)
        return self.book.own or 0

    def stored(self) -> Starts:
        return loads(self.file.read_bytes())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vrrp-seal" / "starts.json"


def test_each_start_is_on_disk_before_it_is_used(file: Path) -> None:
    for expected in (1, 2, 3):
        desk = Desk(file)
        assert desk.book.own is None
        assert desk.opened() == expected
        assert desk.stored().own == expected
        assert desk.ready == [0.0]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_lost_file_is_told_and_a_first_start_is_none(file: Path) -> None:
    """The first seal of all raised an alarm."""
    for _ in range(2):
        desk = Desk(file.parent / "vrrp-seal" / file.name)
        desk.opened()
        assert desk.told == []
    (file.parent / "vrrp-seal" / file.name).unlink()
    bereft = Desk(file.parent / "vrrp-seal" / file.name)
    bereft.opened()
    (told,) = bereft.told
    assert told.endswith("no earlier start is known: the state file of seals was lost")


def test_what_was_proven_outlives_the_process(file: Path) -> None:
    desk = Desk(file)
    desk.opened()
    desk.book.proved(A, 7, 0.0)
    desk.book.proved(A, 8, 0.0)
    desk.until(lambda: desk.stored().proven == {A: 8})
    again = Desk(file)
    assert again.book.highest(A) == 0
    again.opened()
    assert again.book.highest(A) == 8
    again.until(lambda: again.book.wake_at() == float("inf"))


@pytest.mark.parametrize(
    "text", [b"", b"\0" * 4096, dumps(Starts(7))[:-9]], ids=["empty", "zeros", "torn"]
)
def test_a_damaged_file_is_told_and_counted_anew(file: Path, text: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(text)
    desk = Desk(file)
    assert desk.opened() == 1
    assert desk.told == [f"{file}: it is damaged; starts are counted anew"]
    assert desk.stored().own == 1


def test_a_file_that_cannot_be_read_is_told(file: Path) -> None:
    file.mkdir(parents=True)
    desk = Desk(file)
    assert desk.opened() == 1
    assert desk.told == [f"{file}: Is a directory: this start is not stored"]


@pytest.mark.parametrize("errno", [28, 30], ids=["disk full", "read-only"])
def test_a_disk_that_takes_nothing_is_told_once_and_tried_again(
    file: Path, monkeypatch: pytest.MonkeyPatch, errno: int
) -> None:
    Desk(file).opened()

    def refuse(path: Path, _content: bytes) -> None:
        raise OSError(errno, os.strerror(errno), str(path))

    monkeypatch.setattr(module, "keep", refuse)
    desk = Desk(file)
    assert desk.opened() == 2
    assert desk.told == [f"{file}: {os.strerror(errno)}: this start is not stored"]
    desk.book.proved(A, 7, 1.0)
    desk.book.tend(RETRY)
    desk.until(lambda: desk.book.wake_at() > RETRY)
    monkeypatch.setattr(module, "keep", kept.keep)
    assert desk.stored().own == 1
    desk.until(lambda: not desk.book._is_writing)
    desk.book.tend(3 * RETRY)
    desk.until(lambda: desk.stored() == Starts(2, {A: 7}))
    assert len(desk.told) == 1


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let the disk take nothing until the event is set."""
    awake = threading.Event()

    def wait(path: Path, content: bytes) -> None:
        awake.wait(GUARD)
        kept.keep(path, content)

    monkeypatch.setattr(module, "keep", wait)
    yield awake
    awake.set()


def test_a_disk_that_hangs_delays_nobody_for_longer_than_a_second(
    file: Path, hanging: threading.Event
) -> None:
    file.parent.mkdir()
    file.write_bytes(dumps(Starts(7, {A: 3})))
    desk = Desk(file)
    desk.book.tend(PATIENCE - 0.01)
    assert desk.book.own is None
    assert desk.book.wake_at() == PATIENCE
    desk.book.tend(PATIENCE)
    assert desk.book.own == 1
    assert desk.told == [f"{file}: the disk does not answer; going on without it"]
    assert desk.ready == [PATIENCE]
    hanging.set()
    desk.until(lambda: desk.book.own == 8)
    assert desk.book.highest(A) == 3
