"""The console's notes on a disk that is full."""

import asyncio
from pathlib import Path

import pytest
from tests.kernel.disks import fill, tiny

from libra_console.revisions import Note
from libra_console.shell.notebook import Notebook

pytestmark = pytest.mark.kernel

NOTE = Note("0" * 64, "1-0")


async def test_a_full_disk_ends_nobody_and_is_caught_up_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tiny(tmp_path) as ballast:
        fill(ballast)
        file = tmp_path / "notes"
        notebook = Notebook(file)
        task = asyncio.create_task(notebook.run())
        notebook.note("/etc/libra.yaml", NOTE)
        assert notebook.of("/etc/libra.yaml") == NOTE
        assert Notebook(file).of("/etc/libra.yaml") is None
        assert "No space left on device" in capsys.readouterr().out
        ballast.unlink()
        async with asyncio.timeout(60):
            while Notebook(file).of("/etc/libra.yaml") != NOTE:  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.05)
        task.cancel()
