"""Who was met in place of the server asked for: TLS where none is spoken, and the other way round.

The one rule: what came first decides, and only why a check failed is told better by it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from libra_health.outcome import Failed, Outcome, excerpt

BEGINNING: Final = 1024
"""Bytes of what came first that are looked at."""
_SHOWN: Final = 200
_RECORDS: Final = frozenset(range(20, 24))
_MAJOR: Final = 3
_SAYS_SO: Final = re.compile(
    rb"HTTP request was sent to HTTPS port|HTTP request to an HTTPS server"
    rb"|speaking plain HTTP to an SSL-enabled server"
)
"""How nginx, servers in Go and Apache answer with status 400."""


def is_tls(heard: bytes) -> bool:
    """Tell whether this is the beginning of a record of TLS (RFC 8446 section 5.1)."""
    return heard[:1] != b"" and heard[0] in _RECORDS and heard[1:2] in {b"", bytes((_MAJOR,))}


def no_tls(heard: bytes) -> str:
    """Say what answered to a handshake; "" where that was TLS, or nothing."""
    if not heard or is_tls(heard):
        return ""
    return f"what answered is not TLS: '{excerpt(heard, _SHOWN)}'"


def explained(outcome: Outcome, heard: bytes) -> Outcome:
    """Say of what failed in the clear that it was TLS that answered; `heard`: what came first."""
    if not isinstance(outcome, Failed):
        return outcome
    is_other = (is_tls(heard) and len(heard) > 1) or _SAYS_SO.search(heard)
    detail = f"what answered speaks TLS: {outcome.detail}"
    return replace(outcome, detail=detail) if is_other else outcome
