"""How a backend is checked: `check: {http: {path: /healthz}, every: 1s, ...}`."""

from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool, StrictInt, model_validator

from libra_schemas.config.fields import Interface, Span, parse_duration
from libra_schemas.config.kinds.dns import DnsSpec
from libra_schemas.config.kinds.exec import ExecSpec
from libra_schemas.config.kinds.file import FileSpec
from libra_schemas.config.kinds.grpc import GrpcSpec
from libra_schemas.config.kinds.http import HttpSpec
from libra_schemas.config.kinds.icmp import IcmpSpec
from libra_schemas.config.kinds.ldap import LdapSpec
from libra_schemas.config.kinds.smtp import SmtpSpec
from libra_schemas.config.kinds.tcp import TcpSpec
from libra_schemas.config.kinds.tls import TlsSpec
from libra_schemas.config.kinds.udp import UdpSpec
from libra_schemas.model import Address, Name, Strict

_TIMEOUT = 0.5
_SHORTEST = 0.01


def _not_too_often(value: float) -> float:
    if value < _SHORTEST:
        raise ValueError("is shorter than 10ms, the least between two probes")
    return value


class CheckConfig(Strict):
    """One check: exactly one kind, and when it runs."""

    tcp: TcpSpec | None = None
    """Connect and, where asked, hold a dialogue."""
    http: HttpSpec | None = None
    """Ask over HTTP and look at the answer."""
    https: HttpSpec | None = None
    """Likewise over TLS."""
    tls: TlsSpec | None = None
    """Shake hands over TLS and look at the certificate."""
    icmp: IcmpSpec | None = None
    """Send one echo request (ping)."""
    smtp: SmtpSpec | None = None
    """Greet a mail server, where asked by STARTTLS and with a login, and take leave."""
    dns: DnsSpec | None = None
    """Ask a name server one question and look at the answer."""
    ldap: LdapSpec | None = None
    """Bind to a directory and, where asked, search in it."""
    grpc: GrpcSpec | None = None
    """Ask a gRPC server how it is."""
    exec: ExecSpec | None = None
    """Run a program that looks."""
    file: FileSpec | None = None
    """Read a file that says how the backend is."""
    udp: UdpSpec | None = None
    """Send one datagram and look at what comes back."""
    every: Annotated[Span, AfterValidator(_not_too_often)] = 1.0
    """Time from the start of one probe to the start of the next, 10 ms at least."""
    timeout: Span = _TIMEOUT
    """Longest time that a probe may take, `every` at most; where nobody wrote it, never longer
    than `every`.
    """
    rise: Annotated[StrictInt, Field(ge=1, le=1000)] = 2
    """How many passes in a row make a backend up."""
    fall: Annotated[StrictInt, Field(ge=1, le=1000)] = 3
    """How many failures in a row make it down."""
    address: Address | None = None
    """The address to probe, where it is not the backend's."""
    port: Annotated[StrictInt, Field(ge=1, le=65535)] | None = None
    """The port to probe, where it is not the backend's."""
    bind: Address | dict[Name, Address] | None = None
    """The node's own address that the probe leaves from, one for all or one for each node."""
    interface: Interface | dict[Name, Interface] | None = None
    """The network interface that the probe leaves by, one for all or one for each node."""
    fwmark: Annotated[StrictInt, Field(ge=1, le=0xFFFFFFFF)] | None = None
    """The firewall mark that the probe's packets carry."""
    data_path: StrictBool = False
    """Whether the probe goes to the service's address through IPVS, as a client's packets do, and
    on to this backend alone; for `forward: dr` and `tun`. It leaves from `bind`, or the node's
    address.
    """

    @model_validator(mode="before")
    @classmethod
    def _bare_kind(cls, value: object) -> object:
        """Read `tcp` as `{tcp: {}}` and `{tcp: null}` as `{tcp: {}}`."""
        if isinstance(value, str):
            return {value: {}}
        if isinstance(value, dict):
            spelled = {k: {} if v is None and k in KINDS else v for k, v in value.items()}
            return _timeout_within(spelled)
        return value

    def bind_of(self, node: str) -> Address | None:
        """Tell the address that probes of *node* leave from."""
        return self.bind.get(node) if isinstance(self.bind, dict) else self.bind

    def interface_of(self, node: str) -> str | None:
        """Tell the interface that probes of *node* leave by."""
        return self.interface.get(node) if isinstance(self.interface, dict) else self.interface

    @property
    def kinds(self) -> tuple[str, ...]:
        """List the kinds that are named; a valid config names one."""
        return tuple(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def kind(self) -> str:
        """Name the check: `tcp`, `http`, `icmp` and so on."""
        return self.kinds[0]


KINDS = (
    "tcp", "http", "https", "tls", "udp", "icmp", "smtp", "dns", "ldap", "grpc", "exec", "file",
)  # fmt: skip


def _timeout_within(value: dict[str, object]) -> dict[str, object]:
    """Let a timeout that nobody wrote not exceed the `every` that somebody wrote."""
    if "timeout" in value or "every" not in value:
        return value
    try:
        every = parse_duration(value["every"])
    except ValueError:
        return value
    return value | {"timeout": min(_TIMEOUT, every)} if every > 0 else value
