"""Secrets: one per file, read anew at every attempt, so a corrected file needs no restart."""

from pathlib import Path

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
