"""The key file of a seal: read by the machine, as root, and refused where others may read it."""

import os
import stat
from pathlib import Path
from typing import Final

from libra_schemas.seal_keys import MalformedKeys, parse

_LARGEST: Final = 4096


class Unusable(ValueError):
    """The file is not to be used; the sentence says why and how to mend it."""


def read_keys(file: str) -> tuple[bytes, ...]:
    """Read the keys of `file`, at most 4096 octets; raise `Unusable`."""
    try:
        descriptor = os.open(Path(file), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as wrong:
        mend = f"copy it from another node, or make the first one: libra keys seal {file}"
        raise Unusable(f"key file {file}: {wrong.strerror}: {mend}") from None
    except OSError as wrong:
        raise Unusable(f"key file {file}: {wrong.strerror}") from None
    try:
        _require_secrecy(file, os.fstat(descriptor))
        text = os.read(descriptor, _LARGEST)
    except OSError as wrong:
        raise Unusable(f"key file {file}: {wrong.strerror}") from None
    finally:
        os.close(descriptor)
    try:
        return parse(text.decode(errors="replace"))
    except MalformedKeys as wrong:
        raise Unusable(f"key file {file}: {wrong}") from None


def _require_secrecy(file: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Unusable(f"key file {file}: is no regular file")
    if found.st_uid not in {0, os.geteuid()}:
        raise Unusable(f"key file {file}: belongs to user {found.st_uid}: chown root {file}")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Unusable(f"key file {file}: others than its owner may use it: chmod 600 {file}")
