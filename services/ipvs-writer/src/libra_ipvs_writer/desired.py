"""What the table should hold: config, verdicts and operators' will joined, service by service.

Rule: the join happens here alone. A backend is In with a weight, Out, or AsFound: without a valid
verdict what the kernel holds stays, and what it does not hold is not added.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from libra_ipvs_writer.fold import State
from libra_ipvs_writer.pool import Health, Member, Verdict, judge
from libra_schemas.admin import Will, join, keys_of
from libra_schemas.config import BackendConfig, Config, Endpoint, ServiceConfig
from libra_schemas.events import AdminState, BackendState, ServiceState
from libra_schemas.table import (
    Destination,
    Forward,
    Service,
    ServiceKey,
    ServiceTable,
    Tunnel,
)
from libra_schemas.target import target_of

DestinationKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class In:
    """The kernel shall hold this destination exactly so."""

    destination: Destination


@dataclass(frozen=True, slots=True)
class AsFound:
    """Nothing is known: what the kernel holds stays, what it does not hold is not added."""


@dataclass(frozen=True, slots=True)
class Out:
    """The kernel shall not hold it."""


Place = In | AsFound | Out


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one service of the config should be in the kernel.

    *places* names every destination the config knows; *verdict* is the pool's arithmetic.
    """

    name: str
    service: Service
    places: Mapping[DestinationKey, Place]
    verdict: Verdict
    sorry: bool
    """Whether a sorry server serves."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A config prepared for one node: what needs computing once per revision."""

    node: str
    config: Config
    services: Mapping[str, Service]
    targets: Mapping[tuple[str, str], str]
    names: Mapping[ServiceKey, str] = field(default_factory=dict)


def prepare(config: Config, node: str) -> Prepared:
    """Prepare *config* for *node*."""
    services = {name: kernel_service(service) for name, service in config.services.items()}
    targets = {
        (name, backend): target_of(service, chosen)
        for name, service in config.services.items()
        for backend, chosen in service.backends.items()
    }
    names = {service.key: name for name, service in services.items()}
    return Prepared(node, config, services, targets, names)


def desired(state: State, prepared: Prepared, name: str, *, was_up: bool | None) -> Wanted:
    """Tell what service *name* should be; *was_up* is the pool's last verdict."""
    service = prepared.config.services[name]
    members = {
        backend: (
            chosen,
            _health(state, prepared, name, backend),
            _will(state, prepared.node, name, backend),
        )
        for backend, chosen in service.backends.items()
    }
    verdict = judge(
        (
            Member(_known(service, verdict), chosen.weight, will.mode != "maint")
            for chosen, verdict, will in members.values()
        ),
        service.quorum,
        service.hysteresis,
        was_up=was_up,
    )
    sorry = verdict.up is False and service.sorry is not None
    places: dict[DestinationKey, Place] = {
        _key(service, chosen.address): Out() if sorry else _place(service, chosen, verdict_, will)
        for chosen, verdict_, will in members.values()
    }
    if service.sorry is not None:
        places.setdefault(_key(service, service.sorry.address), _sorry(service, verdict))
    return Wanted(name, prepared.services[name], places, verdict, sorry)


def settle(wanted: Wanted, actual: ServiceTable | None) -> ServiceTable:
    """Give the table the kernel should hold, AsFound resolved by what it holds now."""
    found = {each.key: each for each in actual.destinations} if actual else {}
    chosen = []
    for key, place in wanted.places.items():
        match place:
            case In(destination):
                chosen.append(destination)
            case AsFound():
                chosen.extend([found[key]] if key in found else [])
            case Out():
                pass
    return ServiceTable.of(wanted.service, chosen)


def last_verdict(state: State, name: str) -> bool | None:
    """Tell whether the log last called service *name* up; None where it never said."""
    entry = state.get(("service", name))
    data = getattr(entry.event, "data", None) if entry else None
    return data.up if isinstance(data, ServiceState) else None


def kernel_service(service: ServiceConfig) -> Service:
    """Translate a service of the config into the kernel's terms."""
    return Service(
        key=_service_key(service),
        scheduler=service.scheduler,
        flags=tuple(sorted(_FLAGS.get(flag, flag) for flag in service.flags)),
        persistence=round(service.persistence),
        prefix=service.persistence_prefix or 0,
        one_packet=service.one_packet,
    )


_FLAGS = {
    "sh-fallback": "flag-1",
    "sh-port": "flag-2",
    "mh-fallback": "flag-1",
    "mh-port": "flag-2",
}
"""linux/ip_vs.h: IP_VS_SVC_F_SCHED_SH_FALLBACK = SCHED1, SH_PORT = SCHED2, MH likewise."""


def _service_key(service: ServiceConfig) -> ServiceKey:
    if service.address is None:
        return ServiceKey.marked(service.fwmark or 0, 6 if service.family == "ipv6" else 4)
    return ServiceKey.of(service.protocol, str(service.address.address), service.address.port)


def places_of(service: ServiceConfig) -> dict[str, DestinationKey]:
    """Tell which destination each backend of *service* is."""
    return {name: _key(service, each.address) for name, each in service.backends.items()}


def _key(service: ServiceConfig, address: Endpoint) -> DestinationKey:
    """Name a destination; without a port of its own it has its service's."""
    port = address.port or (service.address.port if service.address else 0)
    return (str(address.address), port)


def _health(state: State, prepared: Prepared, name: str, backend: str) -> BackendState | None:
    """Find the verdict on a backend, if it was reached against exactly this config."""
    entry = state.get(("backend", name, backend))
    data = getattr(entry.event, "data", None) if entry else None
    if isinstance(data, BackendState) and data.target == prepared.targets[name, backend]:
        return data
    return None


def _known(service: ServiceConfig, verdict: BackendState | None) -> Health:
    if verdict is None:
        return "up" if service.assume_up else "unknown"
    return "up" if verdict.up or verdict.held else "down"


def _will(state: State, node: str, name: str, backend: str) -> Will:
    entries = (state.get(("admin", *key)) for key in keys_of(node, name, backend))
    found = (getattr(entry.event, "data", None) if entry else None for entry in entries)
    return join(node, (each if isinstance(each, AdminState) else None for each in found))


def _place(
    service: ServiceConfig, backend: BackendConfig, verdict: BackendState | None, will: Will
) -> Place:
    if will.mode == "maint":
        return Out()
    match _known(service, verdict):
        case "unknown":
            return AsFound()
        case "down":
            quiesce = service.on_failure == "quiesce"
            return In(_destination(service, backend, 0)) if quiesce else Out()
        case "up":
            return In(_destination(service, backend, _weight(backend, verdict, will)))


def _weight(backend: BackendConfig, verdict: BackendState | None, will: Will) -> int:
    if will.mode == "drain":
        return 0
    if verdict is not None and verdict.held:
        return 1
    if will.weight is not None:
        return will.weight
    if verdict is not None and verdict.weight is not None:
        return verdict.weight
    return backend.weight


def _destination(service: ServiceConfig, backend: BackendConfig, weight: int) -> Destination:
    address, port = _key(service, backend.address)
    forward = service.forward_of(backend)
    return Destination(
        address, port, forward, weight, backend.upper, backend.lower, _tunnel(forward)
    )


def _tunnel(forward: Forward) -> Tunnel | None:
    return Tunnel() if forward == "tun" else None


def _sorry(service: ServiceConfig, verdict: Verdict) -> Place:
    """Put the sorry server in while the service is down, out while it is up, else leave it."""
    if service.sorry is None or verdict.up is True:
        return Out()
    if verdict.up is None:
        return AsFound()
    forward = service.sorry.forward or service.forward
    address, port = _key(service, service.sorry.address)
    return In(Destination(address, port, forward, 1, 0, 0, _tunnel(forward)))
