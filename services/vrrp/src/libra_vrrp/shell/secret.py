"""Secrets that a config names by file: read when it is taken over, handed to the machine.

What is read is never quoted: errors name the file alone.
"""

import os
from pathlib import Path

from libra_schemas.config import Config
from libra_schemas.errors import LibraError
from libra_vrrp.codec import PASSWORD
from libra_vrrp.wanted import secret_files


class UnusableSecret(LibraError):
    """A secret file cannot be read, or what it holds is no password."""


def read_secrets(config: Config, node: str) -> dict[str, bytes]:
    """Return what is in every file that `node` needs; raise `UnusableSecret`."""
    return {path: _read(path) for path in secret_files(config, node)}


def _read(path: str) -> bytes:
    try:
        found = Path(path).read_bytes().strip()
    except PermissionError:
        group = next(iter(os.getgroups()), os.getegid())
        mend = f"chown root:{group} and chmod 640 it"
        raise UnusableSecret(f"auth_file {path}: not readable by vrrp; {mend}") from None
    except OSError as wrong:
        mend = "write the password there, or name another file"
        raise UnusableSecret(f"auth_file {path}: {wrong.strerror}; {mend}") from None
    if not 1 <= len(found) <= PASSWORD:
        raise UnusableSecret(
            f"auth_file {path}: holds {len(found)} octets, a password has 1 to {PASSWORD}"
        )
    return found
