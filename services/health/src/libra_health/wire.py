"""The vocabulary between a check (pure) and the driver (I/O).

A check asks by effects and is told by inputs; it never sees a socket. After an outcome the driver
closes whatever the check had opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Target:
    """Where a check goes: a numeric IPv4 or IPv6 address and a port (0 where there is none)."""

    address: str
    port: int = 0

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is an IPv6 one."""
        return ":" in self.address

    def __str__(self) -> str:
        """Write the address as an operator would."""
        host = f"[{self.address}]" if self.is_ipv6 else self.address
        return f"{host}:{self.port}" if self.port else self.address


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a TCP connection; answered by `Connected` or `Refused`.

    `abort`: end it by RST, which leaves no TIME_WAIT behind and costs the backend least.
    """

    target: Target
    abort: bool


@dataclass(frozen=True, slots=True)
class OpenPing:
    """Open an ICMP echo socket to `target`; answered by `PingOpened` or `Refused`."""

    target: Target


@dataclass(frozen=True, slots=True)
class Send:
    """Send all of `data`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for bytes; answered by `Received`, `Ended` or `Refused`."""


@dataclass(frozen=True, slots=True)
class Search:
    """Look for a costly pattern in `data`; answered by `Searched`."""

    pattern: str
    data: bytes


Effect: TypeAlias = Connect | OpenPing | Send | Receive | Search
Effects: TypeAlias = tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection stands."""


@dataclass(frozen=True, slots=True)
class PingOpened:
    """The echo socket is open. `raw`: replies carry the IPv4 header and every echo is seen."""

    raw: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The kernel reported an error. `immediate`: from the call itself, nothing came back."""

    errno: int
    immediate: bool


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes arrived."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The other side closed in good order."""


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """The check's timeout passed."""


@dataclass(frozen=True, slots=True)
class Searched:
    """Whether the pattern was found; None: not decided within the bound.

    `tried`: it was this very data that took too long, not something of our own.
    """

    found: bool | None
    tried: bool = True


Input: TypeAlias = Connected | PingOpened | Refused | Received | Ended | DeadlineReached | Searched

RECEIVE: Final = (Receive(),)
