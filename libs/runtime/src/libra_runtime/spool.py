"""Drafts as lines of a file, so that what was not yet sent survives the process."""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from libra_schemas.envelope import Draft
from libra_schemas.events import MODELS


class Spool:
    """The file behind an outbox: append only, emptied or replaced as a whole.

    A draft is in the kernel's hands when `append` returns: it survives kill -9, not a power cut
    (it was not acknowledged to anybody yet). A thawed predecessor keeps writing into the file that
    was replaced under it, which nobody reads.
    """

    def __init__(self, path: Path) -> None:
        """Open *path*; `lost` counts lines that were torn or of an unknown type."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.lost = 0
        self.trouble: str | None = None
        self._fd = self._open(path)

    def load(self) -> list[Draft]:
        """Read what the predecessor left, oldest first."""
        drafts = []
        for line in self.path.read_bytes().splitlines():
            draft = parse(line)
            if draft is None:
                self.lost += 1
            else:
                drafts.append(draft)
        return drafts

    def append(self, line: bytes) -> None:
        """Add one line; a full disk is noted in `trouble`, the draft then lives in memory only."""
        try:
            os.write(self._fd, line)
        except OSError as error:
            self.trouble = f"{self.path}: {error.strerror}; events wait in memory only"
        else:
            self.trouble = None

    def clear(self) -> None:
        """Empty the file."""
        os.ftruncate(self._fd, 0)

    def replace(self, lines: Iterable[bytes]) -> bool:
        """Put *lines* in place of the whole content; False where the file is no longer ours."""
        if not self._is_ours():
            return False
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        descriptor = self._open(fresh)
        try:
            os.writev(descriptor, [b"".join(lines)])
            fresh.replace(self.path)
        except OSError as error:
            self.trouble = f"{self.path}: {error.strerror}; events wait in memory only"
            os.close(descriptor)
            return True
        os.close(self._fd)
        self._fd = descriptor
        return True

    def close(self) -> None:
        """Close the file; what is in it stays for the successor."""
        os.close(self._fd)

    def _is_ours(self) -> bool:
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return True
        ours = os.fstat(self._fd)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    @staticmethod
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
    except (ValueError, KeyError, TypeError):
        return None
