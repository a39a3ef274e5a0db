"""The notes of what was taken over from which file, on a disk that may be full.

What a full disk does not take holds in this process all the same, and is kept once there is room.
"""

from pathlib import Path

import structlog

from libra_console import notes
from libra_console.revisions import Note
from libra_runtime.keeping import Keeping
from libra_runtime.kept import kept


class Notebook:
    """Reads the file once; only this process writes it."""

    def __init__(self, path: Path) -> None:
        self._keeping = Keeping(path, _say)
        self._known = notes.decode(_read(path))

    def of(self, file: str) -> Note | None:
        """Give what was last taken over from *file*."""
        return self._known.get(file)

    def note(self, file: str, note: Note) -> None:
        """Remember what was taken over from *file*."""
        self._known[file] = note
        self._keeping.put(notes.encode(self._known))

    async def run(self) -> None:
        """Try again what the disk did not take, until cancelled."""
        await self._keeping.run()


def _read(path: Path) -> bytes | None:
    try:
        return kept(path)
    except OSError as error:
        _say(f"{path}: {error.strerror}")
        return None


def _say(why: str) -> None:
    structlog.get_logger().warning("notes of config files are not on disk", reason=why)
