"""The notes on a disk that may be full."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from libra_console.revisions import Note
from libra_console.shell.notebook import Notebook

NOTE = Note("0" * 64, "1-0")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path], check=False
    )
    if mounted.returncode:
        pytest.skip("no disk may be mounted here")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


async def test_a_full_disk_ends_nobody_and_is_caught_up_with(
    disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ballast, file = disk / "ballast", disk / "notes"
    fill(ballast)
    notebook = Notebook(file)
    task = asyncio.create_task(notebook.run())
    notebook.note("/etc/libra.yaml", NOTE)
    assert notebook.of("/etc/libra.yaml") == NOTE
    assert Notebook(file).of("/etc/libra.yaml") is None
    assert "No space left on device" in capsys.readouterr().out
    ballast.unlink()
    async with asyncio.timeout(10):
        while Notebook(file).of("/etc/libra.yaml") != NOTE:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)
    task.cancel()


def test_what_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    assert Notebook(tmp_path).of("/etc/libra.yaml") is None
