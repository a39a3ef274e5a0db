"""The config of the whole cluster as one model (design §10).

Rule: a config is data from a file; what is derived from it (target digests, who takes part) is
computed here once, for every service alike.
"""

from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import Field

from libra_schemas.config.check import CheckConfig, HttpSpec, IcmpSpec, TcpSpec
from libra_schemas.config.fields import Duration, Endpoint
from libra_schemas.config.instance import AddressElsewhere, InstanceConfig, Interface
from libra_schemas.config.notify import EmailSink, ProgramSink, Retry, SinkConfig, WebhookSink
from libra_schemas.config.service import BackendConfig, ServiceConfig, SorryConfig
from libra_schemas.model import Address, Name, Strict

RESERVED = frozenset({"all", "cluster"})


class NodeConfig(Strict):
    """A director: the address its peers reach it at."""

    address: Address


class SyncConfig(Strict):
    """The kernel's connection sync daemon (design §7).

    *interface* is where the peers are; without it the first instance's interface. *role* `both`
    runs the master and the backup daemon on every node.
    """

    enabled: bool = True
    interface: Interface | dict[Name, Interface] | None = None
    role: Literal["both", "follow"] = "both"
    syncid: Annotated[int, Field(ge=0, le=255)] = 0
    group: Address = IPv4Address("224.0.0.81")
    port: Annotated[int, Field(ge=1, le=65535)] = 8848
    ttl: Annotated[int, Field(ge=1, le=255)] = 1
    maxlen: Annotated[int, Field(ge=0, le=65535)] = 0
    threshold: tuple[int, int] = (2, 0)
    refresh_period: Duration = 10.0


class TimeoutsConfig(Strict):
    """IPVS timeouts; None leaves the kernel's."""

    tcp: Duration | None = None
    tcp_fin: Duration | None = None
    udp: Duration | None = None


class IpvsConfig(Strict):
    """What holds for the kernel's whole table: `net.ipv4.vs.*` and timeouts."""

    sysctls: dict[Annotated[str, Field(pattern="^[a-z0-9_]+$")], int | str] = Field(
        default_factory=dict
    )
    timeouts: TimeoutsConfig = TimeoutsConfig()


class Config(Strict):
    """The whole cluster's config."""

    version: Literal[1]
    nodes: Annotated[dict[Name, NodeConfig], Field(min_length=1)]
    instances: dict[Name, InstanceConfig] = Field(default_factory=dict)
    services: dict[Name, ServiceConfig] = Field(default_factory=dict)
    notify: dict[Name, SinkConfig] = Field(default_factory=dict)
    sync: SyncConfig = SyncConfig()
    ipvs: IpvsConfig = IpvsConfig()


__all__ = [
    "AddressElsewhere",
    "BackendConfig",
    "CheckConfig",
    "Config",
    "Duration",
    "EmailSink",
    "Endpoint",
    "HttpSpec",
    "IcmpSpec",
    "InstanceConfig",
    "IpvsConfig",
    "NodeConfig",
    "ProgramSink",
    "Retry",
    "ServiceConfig",
    "SinkConfig",
    "SorryConfig",
    "SyncConfig",
    "TcpSpec",
    "TimeoutsConfig",
    "WebhookSink",
]
