"""Drafts as lines of a file, so that what was not yet sent survives the process."""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from libra_runtime.journal import JournalUnavailable
from libra_runtime.kept import kept
from libra_schemas.envelope import Draft
from libra_schemas.events import MODELS


class Spool:
    """The file behind an outbox: append only, emptied or replaced as a whole.

    A draft is in the kernel's hands when `append` returns: it survives kill -9, not a power cut
    (it was not acknowledged to anybody yet). A thawed predecessor keeps writing into the file that
    was replaced under it, which nobody reads. Where the disk takes nothing, drafts live in memory
    only: `trouble` says so, and `is_whole` is False until the file holds again all that waits.
    """

    def __init__(self, path: Path) -> None:
        """Open *path*; `lost` counts lines that were torn or of an unknown type.

        Raise JournalUnavailable where we may not write there.
        """
        self.path = path
        self.lost = 0
        self.is_whole = True
        self.trouble: str | None = None
        self._fd: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = _open(path)
        except PermissionError as error:
            need = f"uid {os.getuid()} must be able to write there"
            raise JournalUnavailable(f"{error.filename}: {error.strerror}; {need}") from None
        except OSError as error:
            self._complain(error)

    def load(self) -> list[Draft]:
        """Read what the predecessor left, oldest first."""
        drafts = []
        try:
            content = kept(self.path) or b""
        except OSError as error:
            self._complain(error)
            return []
        for line in content.splitlines():
            draft = parse(line)
            if draft is None:
                self.lost += 1
            else:
                drafts.append(draft)
        return drafts

    def append(self, line: bytes) -> None:
        """Add one line, or none of it where the disk is full."""
        if self._fd is None:
            return
        written = 0
        try:
            while written < len(line):
                written += os.write(self._fd, line[written:])
        except OSError as error:
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
            self._complain(error)

    @property
    def is_gone(self) -> bool:
        """Whether somebody deleted the file; not so where a successor put its own there."""
        if self._fd is None or os.fstat(self._fd).st_nlink:
            return False
        return not self.path.exists()

    def clear(self) -> None:
        """Empty the file."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            self.is_whole, self.trouble = True, None

    def replace(self, lines: Iterable[bytes]) -> bool:
        """Put *lines* in place of the whole content; False where the file is no longer ours."""
        if not self._is_ours():
            return False
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            fresh.parent.mkdir(parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            descriptor = _open(fresh)
        except OSError as error:
            self._complain(error)
            return True
        try:
            with os.fdopen(os.dup(descriptor), "ab") as file:
                file.writelines(lines)
            fresh.replace(self.path)
        except OSError as error:
            os.close(descriptor)
            fresh.unlink(missing_ok=True)
            self._complain(error)
            return True
        self.close()
        self._fd, self.is_whole, self.trouble = descriptor, True, None
        return True

    def close(self) -> None:
        """Close the file; what is in it stays for the successor."""
        if self._fd is not None:
            os.close(self._fd)

    def _complain(self, error: OSError) -> None:
        self.is_whole = False
        self.trouble = f"{self.path}: {error.strerror}; events wait in memory only"

    def _is_ours(self) -> bool:
        if self._fd is None:
            return True
        try:
            there = self.path.stat()
        except OSError:
            return True
        ours = os.fstat(self._fd)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def render(draft: Draft) -> bytes:
    """Render a draft as one line."""
    facts = {
        "type": draft.type,
        "key": draft.key,
        "id": draft.id,
        "time": draft.time.isoformat(),
        "causationid": draft.causationid,
        "configrev": draft.configrev,
        "traceparent": draft.traceparent,
    }
    head = json.dumps(facts, separators=(",", ":"))
    return f'{head[:-1]},"data":{draft.data.model_dump_json()}}}\n'.encode()


def parse(line: bytes) -> Draft | None:
    """Read a line back; None where it is torn or of a type this release does not know."""
    try:
        facts = json.loads(line)
        return Draft(
            type=facts["type"],
            key=tuple(facts["key"]),
            data=MODELS[facts["type"]].model_validate(facts["data"]),
            id=facts["id"],
            time=datetime.fromisoformat(facts["time"]),
            causationid=facts["causationid"],
            configrev=facts["configrev"],
            traceparent=facts["traceparent"],
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
