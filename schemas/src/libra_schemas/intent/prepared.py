"""The config in the kernel's terms, computed once per revision.

Rule: what follows from the config alone stands here; what follows from events stands in `desired`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from libra_schemas.config import BackendConfig, Config, Endpoint, ServiceConfig
from libra_schemas.marks import marks_of, name_of
from libra_schemas.table import Destination, Forward, Service, ServiceKey, ServiceTable, Tunnel
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
class DataPath:
    """The private service by which one backend of *service* is probed; no event changes it."""

    service: str
    backend: str
    table: ServiceTable


@dataclass(frozen=True, slots=True)
class Prepared:
    """A config prepared for one node; *names* is kernel service -> service of the config.

    *paths* are the private services by name (`libra_schemas.marks`), *owners* names all of them.
    """

    node: str
    config: Config
    pools: Mapping[str, Pool]
    names: Mapping[ServiceKey, str]
    paths: Mapping[str, DataPath]
    owners: Mapping[ServiceKey, str]

    def key_of(self, name: str) -> ServiceKey | None:
        """Tell the kernel service that *name* is, None where the config does not want it."""
        if name in self.paths:
            return self.paths[name].table.key
        return self.pools[name].service.key if name in self.pools else None

    def leaves(self, name: str) -> bool:
        """Tell whether *name* goes when LibrA is stopped in order; a private one as its service."""
        home = self.paths[name].service if name in self.paths else name
        return self.pools[home].config.on_stop == "remove"


def prepare(config: Config, node: str) -> Prepared:
    """Prepare *config* for *node*."""
    pools = {name: _pool(service) for name, service in config.services.items()}
    names = {pool.service.key: name for name, pool in pools.items()}
    paths = {
        name_of(mark): _path(*key, mark, pools[key[0]]) for key, mark in marks_of(config).items()
    }
    owners = names | {path.table.key: name for name, path in paths.items()}
    return Prepared(node, config, pools, names, paths, owners)


def _path(service: str, backend: str, mark: int, pool: Pool) -> DataPath:
    """Make the service that sends what bears *mark* to one backend as the pool's does.

    A datagram leaves no connection behind: else a probe a second would be remembered for minutes.
    """
    key = ServiceKey.marked(mark, pool.service.key.family)
    made = Service(key, "rr", one_packet=pool.service.key.protocol == "udp")
    real = replace(pool.backends[backend].destination, port=0, weight=1, upper=0, lower=0)
    return DataPath(service, backend, ServiceTable.of(made, [real]))


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
