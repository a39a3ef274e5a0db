"""The config of the whole cluster as one model (design §10).

Rule: a config is data from a file; what is derived from it (target digests, who takes part) is
computed here once, for every service alike.
"""

from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from libra_schemas.config.check import CheckConfig
from libra_schemas.config.fields import Duration, Endpoint, Interface
from libra_schemas.config.instance import AddressElsewhere, InstanceConfig
from libra_schemas.config.kinds.dns import DnsSpec
from libra_schemas.config.kinds.exec import ExecSpec
from libra_schemas.config.kinds.file import FileSpec
from libra_schemas.config.kinds.grpc import GrpcSpec
from libra_schemas.config.kinds.http import BodyDigest, HttpRequest, HttpSpec
from libra_schemas.config.kinds.icmp import IcmpSpec
from libra_schemas.config.kinds.ldap import LdapSpec
from libra_schemas.config.kinds.smtp import SmtpSpec
from libra_schemas.config.kinds.tcp import ExchangeSpec, TcpSpec
from libra_schemas.config.kinds.tls import TlsSpec
from libra_schemas.config.kinds.udp import UdpSpec
from libra_schemas.config.mark_range import MarkRange, Marks
from libra_schemas.config.notify import EmailSink, ProgramSink, Retry, SinkConfig, WebhookSink
from libra_schemas.config.service import BackendConfig, HoldConfig, ServiceConfig, SorryConfig
from libra_schemas.config.track import Track, TrackedInterface
from libra_schemas.model import Address, Name, Strict

RESERVED = frozenset({"all", "cluster"})


class NodeConfig(Strict):
    """A director: the address its peers reach it at."""

    address: Address
    """The director's own address; no other node and no virtual address may have it."""


class SyncConfig(Strict):
    """The kernel's connection sync daemon (design §7)."""

    enabled: bool = True
    """Whether the sync daemons run; where the config has one node only they never do."""
    interface: Interface | dict[Name, Interface] | None = None
    """Where the peers are, one name or one per node; by default that of the node's first
    instance.
    """
    role: Literal["both", "follow"] = "both"
    """`both` runs master and backup daemon on every node; `follow` the master daemon where an
    instance is master, else the backup daemon.
    """
    syncid: Annotated[StrictInt, Field(ge=0, le=255)] = 0
    """Tells one cluster's messages from another's on the same network; a node with 0 takes all."""
    group: Address = IPv4Address("224.0.0.81")
    """The multicast group that messages are sent to."""
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = 8848
    """The UDP port that messages are sent to."""
    ttl: Annotated[StrictInt, Field(ge=1, le=255)] = 1
    """How many routers a message may pass, plus one; 1 stays on the link."""
    maxlen: Annotated[StrictInt, Field(ge=0, le=65535)] = 0
    """Most bytes of a message's UDP payload; 0 leaves it to the kernel."""
    threshold: tuple[StrictInt, StrictInt] = (2, 0)
    """`[threshold, period]` in packets, the kernel's `sync_threshold`: a connection is sent
    when its packets modulo *period* are *threshold*; with period 0 once, then by
    `refresh_period`.
    """
    refresh_period: Duration = 10.0
    """Least time between two messages about a connection whose state stays; whole seconds, the
    kernel's `sync_refresh_period`.
    """


class TetherConfig(Strict):
    """A TCP connection between two nodes, whose end tells at once that LibrA was killed there."""

    enabled: StrictBool = True
    """Whether there are tethers; without them a killed node is noticed by its silence."""
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = 9645
    """The TCP port that every node listens on at its `address` under `nodes`, for the other nodes
    alone.
    """


class TimeoutsConfig(Strict):
    """IPVS timeouts; None leaves the kernel's."""

    tcp: Duration | None = None
    """How long the kernel remembers an idle TCP connection; without it as the kernel has it."""
    tcp_fin: Duration | None = None
    """How long it remembers a TCP connection after its FIN; without it as the kernel has it."""
    udp: Duration | None = None
    """How long it remembers a UDP flow after its last packet; without it as the kernel has it."""


class IpvsConfig(Strict):
    """What holds for the kernel's whole table: `net.ipv4.vs.*` and timeouts."""

    sysctls: dict[Annotated[str, Field(pattern="^[a-z0-9_]+$")], StrictInt | str] = Field(
        default_factory=dict
    )
    """Values of `net.ipv4.vs.NAME`, set and verified; they go before those that LibrA sets by
    itself.
    """
    timeouts: TimeoutsConfig = TimeoutsConfig()
    """How long the kernel remembers connections; whole seconds, 24 days at most."""
    marks: Marks = "0x4c000000/8"
    """The firewall marks that LibrA may use for checks with `data_path`, one per backend: the
    first, and how many bits all share; nothing else on the nodes may use them.
    """

    @property
    def mark_range(self) -> MarkRange:
        """Give the marks for checks with `data_path`."""
        return MarkRange.parse(self.marks)


class Config(Strict):
    """The whole cluster's config."""

    version: Literal[1]
    """The version of this format."""
    nodes: Annotated[dict[Name, NodeConfig], Field(min_length=1)]
    """The directors by name; all of them run with this one file."""
    instances: dict[Name, InstanceConfig] = Field(default_factory=dict)
    """Virtual routers by name: which node owns which virtual addresses."""
    services: dict[Name, ServiceConfig] = Field(default_factory=dict)
    """Virtual services by name: what the kernel balances, and onto which backends."""
    notify: dict[Name, SinkConfig] = Field(default_factory=dict)
    """Sinks by name: whom to tell of which events."""
    sync: SyncConfig = SyncConfig()
    """The kernel's connection sync, which carries connections from director to director."""
    tether: TetherConfig = TetherConfig()
    """The tethers between nodes."""
    ipvs: IpvsConfig = IpvsConfig()
    """What holds for all of the kernel's IPVS on a node."""


__all__ = [
    "AddressElsewhere",
    "BackendConfig",
    "BodyDigest",
    "CheckConfig",
    "Config",
    "DnsSpec",
    "Duration",
    "EmailSink",
    "Endpoint",
    "ExchangeSpec",
    "ExecSpec",
    "FileSpec",
    "GrpcSpec",
    "HoldConfig",
    "HttpRequest",
    "HttpSpec",
    "IcmpSpec",
    "InstanceConfig",
    "IpvsConfig",
    "LdapSpec",
    "MarkRange",
    "NodeConfig",
    "ProgramSink",
    "Retry",
    "ServiceConfig",
    "SinkConfig",
    "SmtpSpec",
    "SorryConfig",
    "SyncConfig",
    "TcpSpec",
    "TetherConfig",
    "TimeoutsConfig",
    "TlsSpec",
    "Track",
    "TrackedInterface",
    "UdpSpec",
    "WebhookSink",
]
