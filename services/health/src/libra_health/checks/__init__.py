"""The checks that the one driver runs: file name = config word, all with the same two functions.

The one rule: a new check is a file here and a line in each table below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from libra_health.checks import dns, file, grpc, http, https, icmp, ldap, smtp, tcp, tls, udp
from libra_health.checks import exec as program
from libra_health.checks.dns import DnsSpec, DnsState
from libra_health.checks.exec import ExecSpec, ExecState
from libra_health.checks.file import FileSpec, FileState
from libra_health.checks.grpc import GrpcSpec, GrpcState
from libra_health.checks.http import HttpSpec, HttpState
from libra_health.checks.https import HttpsSpec
from libra_health.checks.icmp import IcmpSpec, IcmpState
from libra_health.checks.ldap import LdapSpec, LdapState
from libra_health.checks.smtp import SmtpSpec, SmtpState
from libra_health.checks.tcp import TcpSpec, TcpState
from libra_health.checks.tls import TlsSpec, TlsState
from libra_health.checks.udp import UdpSpec, UdpState
from libra_health.outcome import Outcome
from libra_health.wire import Effects, Input, Target

Spec: TypeAlias = (
    TcpSpec | HttpSpec | HttpsSpec | TlsSpec | UdpSpec | IcmpSpec | SmtpSpec | DnsSpec | LdapSpec
    | GrpcSpec | ExecSpec | FileSpec
)  # fmt: skip
State: TypeAlias = (
    TcpState | HttpState | TlsState | UdpState | IcmpState | SmtpState | DnsState | LdapState
    | GrpcState | ExecState | FileState
)  # fmt: skip
Start: TypeAlias = Callable[[Target, Any, float], tuple[State, Effects]]
Step: TypeAlias = Callable[[Any, Input, float], tuple[State, Effects | Outcome]]

STARTS: Final[dict[type, tuple[str, Start]]] = {
    TcpSpec: ("tcp", tcp.start),
    HttpSpec: ("http", http.start),
    HttpsSpec: ("https", https.start),
    TlsSpec: ("tls", tls.start),
    IcmpSpec: ("icmp", icmp.start),
    SmtpSpec: ("smtp", smtp.start),
    DnsSpec: ("dns", dns.start),
    LdapSpec: ("ldap", ldap.start),
    GrpcSpec: ("grpc", grpc.start),
    ExecSpec: ("exec", program.start),
    FileSpec: ("file", file.start),
    UdpSpec: ("udp", udp.start),
}
STEPS: Final[dict[type, Step]] = {
    TcpState: tcp.step,
    HttpState: http.step,
    TlsState: tls.step,
    IcmpState: icmp.step,
    SmtpState: smtp.step,
    DnsState: dns.step,
    LdapState: ldap.step,
    GrpcState: grpc.step,
    ExecState: program.step,
    FileState: file.step,
    UdpState: udp.step,
}


def kind_of(spec: Spec) -> str:
    """Name the config word of a check."""
    return STARTS[type(spec)][0]


def start(target: Target, spec: Spec, now: float) -> tuple[State, Effects]:
    """Begin a check; `now` in seconds of the monotonic clock."""
    return STARTS[type(spec)][1](target, spec, now)


def step(state: State, event: Input, now: float) -> tuple[State, Effects | Outcome]:
    """Take a check one input further."""
    return STEPS[type(state)](state, event, now)


__all__ = [
    "DnsSpec",
    "DnsState",
    "ExecSpec",
    "ExecState",
    "FileSpec",
    "FileState",
    "GrpcSpec",
    "GrpcState",
    "HttpSpec",
    "HttpState",
    "HttpsSpec",
    "IcmpSpec",
    "IcmpState",
    "LdapSpec",
    "LdapState",
    "SmtpSpec",
    "SmtpState",
    "Spec",
    "State",
    "TcpSpec",
    "TcpState",
    "TlsSpec",
    "TlsState",
    "UdpSpec",
    "UdpState",
    "kind_of",
    "start",
    "step",
]
