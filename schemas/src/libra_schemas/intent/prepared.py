"""The config in the kernel's terms, computed once per revision.

Rule: what follows from the config alone stands here; what follows from events stands in `desired`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from libra_schemas.config import BackendConfig, Config, Endpoint, ServiceConfig
from libra_schemas.table import Destination, Forward, Service, ServiceKey, Tunnel
from libra_schemas.target import target_of

DestinationKey = tuple[str, int]
_IPV6 = 6

_FLAGS = {
    "sh-fallback": "flag-1",
    "sh-port": "flag-2",
    "mh-fallback": "flag-1",
    "mh-port": "flag-2",
}
"""linux/ip_vs.h: IP_VS_SVC_F_SCHED_SH_FALLBACK = SCHED1, SH_PORT = SCHED2, MH likewise."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend: the destination it is with the config's weight, and its target digest."""

    destination: Destination
    target: str


@dataclass(frozen=True, slots=True)
class Pool:
    """One service of the config; *sorry* is None where it has no sorry server."""

    config: ServiceConfig
    service: Service
    backends: Mapping[str, Backend]
    sorry: Destination | None

    @property
    def places(self) -> dict[str, DestinationKey]:
        """Tell which destination each backend is."""
        return {name: each.destination.key for name, each in self.backends.items()}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A config prepared for one node; *names* is kernel service -> service of the config."""

    node: str
    config: Config
    pools: Mapping[str, Pool]
    names: Mapping[ServiceKey, str]


def prepare(config: Config, node: str) -> Prepared:
    """Prepare *config* for *node*."""
    pools = {name: _pool(service) for name, service in config.services.items()}
    names = {pool.service.key: name for name, pool in pools.items()}
    return Prepared(node, config, pools, names)


def _pool(config: ServiceConfig) -> Pool:
    backends = {
        name: Backend(_backend(config, each), target_of(config, each))
        for name, each in config.backends.items()
    }
    return Pool(config, kernel_service(config), backends, _sorry(config))


def kernel_service(config: ServiceConfig) -> Service:
    """Translate a service of the config into the kernel's terms."""
    return Service(
        key=_key(config),
        scheduler=config.scheduler,
        flags=tuple(sorted({_FLAGS.get(flag, flag) for flag in config.flags})),
        persistence=round(config.persistence),
        prefix=_prefix(config),
        one_packet=config.one_packet,
    )


def _prefix(config: ServiceConfig) -> int:
    """Give the granularity of persistence; a prefix as long as the address is the whole of it."""
    six = config.address.address.version == _IPV6 if config.address else config.family == "ipv6"
    prefix = config.persistence_prefix or 0
    return 0 if prefix == (128 if six else 32) else prefix


def _key(config: ServiceConfig) -> ServiceKey:
    if config.address is None:
        return ServiceKey.marked(config.fwmark or 0, 6 if config.family == "ipv6" else 4)
    return ServiceKey.of(config.protocol, str(config.address.address), config.address.port)


def _backend(config: ServiceConfig, backend: BackendConfig) -> Destination:
    forward = config.forward_of(backend)
    address, port = _place(config, backend.address)
    return Destination(
        address, port, forward, backend.weight, backend.upper, backend.lower, _tunnel(forward)
    )


def _sorry(config: ServiceConfig) -> Destination | None:
    if config.sorry is None:
        return None
    forward = config.sorry.forward or config.forward
    address, port = _place(config, config.sorry.address)
    return Destination(address, port, forward, 1, 0, 0, _tunnel(forward))


def _place(config: ServiceConfig, address: Endpoint) -> DestinationKey:
    """Name a destination; without a port of its own it has its service's."""
    port = address.port or (config.address.port if config.address else 0)
    return (str(address.address), port)


def _tunnel(forward: Forward) -> Tunnel | None:
    return Tunnel() if forward == "tun" else None
