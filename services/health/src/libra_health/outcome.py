"""What one run of a check found.

The one rule: trouble on our side (`Errored`) is never counted against a backend.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

DETAIL_LIMIT: Final = 512
"""Bytes kept of any text that a backend sent (design §3)."""


class Reason(StrEnum):
    """Closed list of labels, also used as a metric label."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    RESET = "reset"
    CLOSED = "closed"
    STATUS = "status"
    CONTENT = "content"
    MALFORMED = "malformed"
    OVERSIZED = "oversized"
    TLS = "tls"
    CERTIFICATE = "certificate"
    EXPIRY = "expiry"
    DESCRIPTORS = "descriptors"
    NO_ROUTE = "no_route"
    PERMISSION = "permission"
    PORTS = "ports"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Passed:
    """The backend answered as it should. `latency` in seconds, from the start of the check.

    `weight`: what the check contributes to the backend's weight, None where it says nothing of it.
    `detail`: what is worth telling though it passed.
    """

    latency: float
    weight: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The backend did not answer as it should."""

    reason: Reason
    detail: str
    latency: float = 0.0


@dataclass(frozen=True, slots=True)
class Errored:
    """The check could not be run here; it says nothing about the backend."""

    reason: Reason
    detail: str


Outcome: TypeAlias = Passed | Failed | Errored

_OURS: Final = {
    errno.EMFILE: Reason.DESCRIPTORS,
    errno.ENFILE: Reason.DESCRIPTORS,
    errno.EACCES: Reason.PERMISSION,
    errno.EPERM: Reason.PERMISSION,
    errno.EADDRNOTAVAIL: Reason.PORTS,
    errno.EADDRINUSE: Reason.PORTS,
    errno.ENOBUFS: Reason.LOCAL,
    errno.ENOMEM: Reason.LOCAL,
    errno.EAFNOSUPPORT: Reason.NO_ROUTE,
    errno.ENODEV: Reason.NO_ROUTE,
    errno.ENETDOWN: Reason.NO_ROUTE,
}
_THEIRS: Final = {
    errno.ECONNREFUSED: Reason.REFUSED,
    errno.ETIMEDOUT: Reason.TIMEOUT,
    errno.ECONNRESET: Reason.RESET,
    errno.EPIPE: Reason.RESET,
    errno.ECONNABORTED: Reason.RESET,
}

_NO_ADDRESS: Final = {-2: "no such address here", -9: "an address of another family than probed"}
"""EAI_NONAME and EAI_ADDRFAMILY (netdb.h)."""


def from_errno(number: int, latency: float, *, immediate: bool) -> Failed | Errored:
    """Translate what the kernel said about a socket.

    `immediate`: the call itself returned it, so no packet came back. A missing route is then ours;
    the same number reported later was an ICMP error or a failed neighbour lookup, and EACCES an
    ICMPv6 one: prohibited by a firewall (RFC 4443 section 3.1, linux/net/ipv6/icmp.c).
    """
    if number < 0:  # getaddrinfo(3) numbers its own errors so
        return Errored(Reason.LOCAL, _NO_ADDRESS.get(number, f"address refused ({number})"))
    label = errno.errorcode.get(number, str(number))
    if number in _OURS and (immediate or number != errno.EACCES):
        return Errored(_OURS[number], label)
    if number in _THEIRS:
        return Failed(_THEIRS[number], label, latency)
    if immediate:
        unroutable = number in {errno.ENETUNREACH, errno.EHOSTUNREACH}
        return Errored(Reason.NO_ROUTE if unroutable else Reason.LOCAL, label)
    return Failed(Reason.UNREACHABLE, label, latency)


def excerpt(data: bytes, limit: int = DETAIL_LIMIT) -> str:
    """Show what a backend sent: printable ASCII, the rest escaped, at most `limit` characters."""
    text = repr(data[:limit])[2:-1]
    return text if len(text) <= limit else text[: limit - 3] + "..."


def undecided(pattern: str, *, tried: bool, latency: float) -> Failed | Errored:
    """Translate a match that was not decided within its bound.

    `tried`: this answer took too long, or the one before and it was not yet this one's turn; else
    it is no fault of the backend's.
    """
    if tried:
        return Failed(Reason.CONTENT, f"/{pattern[:80]}/ took too long on this answer", latency)
    return Errored(Reason.LOCAL, f"/{pattern[:80]}/ could not be matched in time")
