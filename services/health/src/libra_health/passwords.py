"""Passwords of checks: from a file, and never in what is told.

The one rule: a backend that repeats a secret does not bring it into the log.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from typing import Final

from libra_health.errands import FileRead, FileUnread
from libra_health.outcome import Errored, Reason

HIDDEN: Final = b"***"
TELLING: Final = 6
"""Bytes from which on a part of a secret is hidden too."""

_BETWEEN: Final = re.compile(rb"[\s;,]+")
_AROUND: Final = b"=\"'"
_SCHEMES: Final = frozenset({b"bearer", b"digest", b"negotiate"})
"""How such values begin that are no secret (RFC 9110 section 11.1)."""


def password_of(path: str, event: FileRead | FileUnread) -> bytes | Errored:
    """Take the password from what was read: the file without the newline at its end."""
    if isinstance(event, FileUnread):
        closed = event.errno in {errno.EACCES, errno.EPERM}
        label = errno.errorcode.get(event.errno, str(event.errno))
        reason = Reason.PERMISSION if closed else Reason.LOCAL
        return Errored(reason, f"cannot read {path}: {label}")
    password = event.data.removesuffix(b"\n").removesuffix(b"\r")
    return password or Errored(Reason.LOCAL, f"{path} holds no password")


def hidden(text: bytes, *secrets: bytes, mark: bytes = HIDDEN) -> bytes:
    """Replace in what a backend said secrets, their words, and what of one it may be cut within."""
    whole = {secret for secret in secrets if secret}
    for known in (whole, words := {word for secret in whole for word in _words(secret)}):
        for each in sorted(known, key=len, reverse=True):
            text = text.replace(each, mark)
    for each in sorted(whole | words, key=len, reverse=True):
        text = _without_beginning(text, each, mark)
    return text


def _words(secret: bytes) -> Iterator[bytes]:
    """Give what of a header's value or of several words a backend may repeat alone."""
    for part in _BETWEEN.split(secret):
        word = part.partition(b"=")[2].strip(_AROUND) or part.strip(_AROUND)
        if len(word) >= TELLING and word.lower() not in _SCHEMES:
            yield word


def _without_beginning(text: bytes, secret: bytes, mark: bytes) -> bytes:
    """Hide the beginning of *secret* that the end of *text* is."""
    at = text.find(secret[:TELLING], max(0, len(text) - len(secret)))
    while at >= 0 and len(text) - at >= TELLING:
        if secret.startswith(text[at:]):
            return text[:at] + mark
        at = text.find(secret[:TELLING], at + 1)
    return text


def held(data: bytes, *secrets: bytes) -> tuple[bytes, ...]:
    """List the secrets that what is sent holds (`Send.secrets`)."""
    return tuple(secret for secret in secrets if secret and secret in data)
