"""Files of a node on a disk that is full: the console's notes, nats-server's config."""

import asyncio
from pathlib import Path

import pytest
from tests.kernel.disks import fill, tiny

from libra_cli.exits import CommandError
from libra_cli.identity import chosen
from libra_cli.prepare import prepare
from libra_cli.site import Site
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


def test_a_config_of_nats_server_that_the_disk_does_not_take_stays_as_it_was(
    tmp_path: Path,
) -> None:
    """Half a config would open the server to everybody as soon as it is started again."""
    with tiny(tmp_path) as ballast:
        site = Site("a", tmp_path / "state", tmp_path / "run")
        prepare(site, chosen)
        whole = site.server_config.read_bytes()
        fill(ballast)
        with pytest.raises(CommandError, match="No space left on device"):
            prepare(site, chosen, 8222)
        assert site.server_config.read_bytes() == whole
