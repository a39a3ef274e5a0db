"""Passwords of checks: from a file, and never in what is told.

The one rule: a backend that repeats a secret does not bring it into the log.
"""

from __future__ import annotations

import errno

from libra_health.errands import FileRead, FileUnread
from libra_health.outcome import Errored, Reason


def password_of(path: str, event: FileRead | FileUnread) -> bytes | Errored:
    """Take the password from what was read: the file without the newline at its end."""
    if isinstance(event, FileUnread):
        closed = event.errno in {errno.EACCES, errno.EPERM}
        label = errno.errorcode.get(event.errno, str(event.errno))
        reason = Reason.PERMISSION if closed else Reason.LOCAL
        return Errored(reason, f"cannot read {path}: {label}")
    password = event.data.removesuffix(b"\n").removesuffix(b"\r")
    return password or Errored(Reason.LOCAL, f"{path} holds no password")


def hidden(text: bytes, *secrets: bytes) -> bytes:
    """Replace secrets in what a backend said."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, b"***")
    return text


def held(data: bytes, *secrets: bytes) -> tuple[bytes, ...]:
    """List the secrets that what is sent holds (`Send.secrets`)."""
    return tuple(secret for secret in secrets if secret and secret in data)
