"""The vocabulary between a check (pure) and the driver (I/O).

A check asks by effects and is told by inputs; it never sees a socket, a file or a process. An
effect that is answered at once ends the tuple it stands in. A check holds one channel: whatever
opens one closes the one before, and after an outcome the driver closes what the check had opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from libra_health.errands import Done, Errand
from libra_health.outcome import Reason


@dataclass(frozen=True, slots=True)
class Origin:
    """Where probes of this node leave from; empty and 0: as the kernel chooses.

    `address`: numeric, to bind to; `interface`: SO_BINDTODEVICE; `fwmark`: SO_MARK.
    """

    address: str = ""
    interface: str = ""
    fwmark: int = 0


ANYWHERE: Final = Origin()


@dataclass(frozen=True, slots=True)
class Target:
    """Where a check goes: a numeric IPv4 or IPv6 address and a port (0 where there is none)."""

    address: str
    port: int = 0
    origin: Origin = ANYWHERE

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is an IPv6 one."""
        return ":" in self.address

    def __str__(self) -> str:
        """Write the address as an operator would."""
        host = f"[{self.address}]" if self.is_ipv6 else self.address
        return f"{host}:{self.port}" if self.port else self.address


@dataclass(frozen=True, slots=True)
class Tls:
    """How TLS is spoken; `ca`, `certificate` and `key` are paths of PEM files.

    `name`: for SNI and against which the certificate is held (DNS name or address; "" sends and
    checks none). `ca`: "" trusts what the system trusts. `key`: "" if in `certificate`.
    """

    name: str
    verify: bool = True
    ca: str = ""
    certificate: str = ""
    key: str = ""
    alpn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a TCP connection; answered by `Connected` or `Refused`.

    `abort`: end it by RST, which leaves no TIME_WAIT behind and costs the backend least.
    """

    target: Target
    abort: bool


@dataclass(frozen=True, slots=True)
class OpenUdp:
    """Open a UDP socket connected to `target`; answered by `UdpOpened` or `Refused`."""

    target: Target


@dataclass(frozen=True, slots=True)
class OpenPing:
    """Open an ICMP echo socket to `target`; answered by `PingOpened` or `Refused`.

    `token`: the 4 bytes of identifier and sequence by which a raw socket can tell its replies.
    """

    target: Target
    token: bytes


@dataclass(frozen=True, slots=True)
class StartTls:
    """Speak TLS on the TCP connection from now on; answered by `Secured`, `Unsecured`, `Refused`.

    What a check has received in the clear and not used yet it drops: nothing said before the
    handshake is believed after it (RFC 3207 section 4.2).
    """

    tls: Tls


@dataclass(frozen=True, slots=True)
class Send:
    """Send all of `data`; `Refused` where that fails.

    `secrets`: the parts of it that are shown to nobody, not where they come back either.
    """

    data: bytes
    secrets: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for bytes, or for one datagram; answered by `Received`, `Ended` or `Refused`."""


@dataclass(frozen=True, slots=True)
class Search:
    """Look for a costly pattern in `data`; answered by `Searched`."""

    pattern: str
    data: bytes


Effect: TypeAlias = Connect | OpenUdp | OpenPing | StartTls | Send | Receive | Search | Errand
Effects: TypeAlias = tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection stands."""


@dataclass(frozen=True, slots=True)
class UdpOpened:
    """The UDP socket is open."""


@dataclass(frozen=True, slots=True)
class PingOpened:
    """The echo socket is open. `raw`: replies carry the IPv4 header and every echo is seen."""

    raw: bool


@dataclass(frozen=True, slots=True)
class Secured:
    """TLS is spoken. `left`: seconds until the other's certificate expires, None if unverified."""

    left: float | None
    version: str
    alpn: str = ""


@dataclass(frozen=True, slots=True)
class Unsecured:
    """TLS did not come about; `reason` is TLS, CERTIFICATE, or LOCAL where files of ours lack."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The kernel reported an error. `immediate`: from the call itself, nothing came back."""

    errno: int
    immediate: bool


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes arrived, or one datagram (which may be empty)."""

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

    `tried`: it was this data that took too long, or what came from there last, not something of our
    own. `end`: how many bytes of the data there are up to the end of what was found.
    """

    found: bool | None
    tried: bool = True
    end: int = 0


Input: TypeAlias = (
    Connected | UdpOpened | PingOpened | Secured | Unsecured | Refused | Received | Ended
    | DeadlineReached | Searched | Done
)  # fmt: skip

RECEIVE: Final = (Receive(),)


class Unasked(ValueError):
    """A check was told what it never asked for: the driver is wrong."""

    def __init__(self, check: str, event: Input) -> None:
        super().__init__(f"a check {check} never asked for {type(event).__name__}")
