"""Secrets: one per file, read anew at every attempt, so a corrected file needs no restart."""

from pathlib import Path

from libra_schemas.config.notify import SinkConfig
from libra_schemas.errors import LibraError


class UnreadableSecret(LibraError):
    """A `*_file` of the config cannot be read or holds nothing; the message never quotes it."""


def read_secret(key: str, path: str) -> str:
    """Read the file that *key* of the config names, without white space around it."""
    try:
        found = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UnreadableSecret(f"{key} {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnreadableSecret(f"{key} {path}: not UTF-8 text") from None
    if not found:
        raise UnreadableSecret(f"{key} {path}: empty")
    return found


def unreadable(sink: SinkConfig) -> str | None:
    """Say which file of *sink* cannot be read now; None where all can."""
    try:
        for what in (sink.webhook, sink.email, sink.program):
            for key, path in () if what is None else what:
                if key.endswith("_file") and path is not None:
                    read_secret(key, path)
    except UnreadableSecret as error:
        return str(error)
    return None
