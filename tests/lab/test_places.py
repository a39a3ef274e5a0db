import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from libra_lab import places
from libra_lab.errors import LabUnavailable


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    monkeypatch.setattr(places, "ROOT", tmp_path)
    with ExitStack() as stack:
        yield stack


def listen(stack: ExitStack, number: int) -> None:
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(str(places.directory() / f"{number}.sock"))
    listener.listen()


def test_the_only_lab_is_chosen_and_no_other_user_can_see_it(own: ExitStack) -> None:
    place, listener = places.offer()
    own.enter_context(listener)
    places.choose(None).close()
    places.choose(os.getpid()).close()
    assert place.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_lab_that_was_killed_is_forgotten() -> None:
    place, listener = places.offer()
    listener.close()
    with pytest.raises(LabUnavailable, match=r"no lab of yours is running: start one with `make"):
        places.choose(None)
    assert not place.path.exists()


def test_of_several_labs_one_has_to_be_named(own: ExitStack) -> None:
    listen(own, 1)
    listen(own, os.getpid())
    with pytest.raises(
        LabUnavailable, match=rf"2 labs.*--lab 1 \(.*--lab {os.getpid()} \(.*pytest"
    ):
        places.choose(None)
    places.choose(1).close()
    with pytest.raises(LabUnavailable, match="no lab 7 is running"):
        places.choose(7)


def test_a_directory_that_others_may_enter_is_not_used(tmp_path: Path) -> None:
    tmp_path.joinpath(f"libra-lab-{os.geteuid()}").mkdir()
    tmp_path.joinpath(f"libra-lab-{os.geteuid()}").chmod(0o755)
    with pytest.raises(LabUnavailable, match="not a directory of yours alone"):
        places.choose(None)
