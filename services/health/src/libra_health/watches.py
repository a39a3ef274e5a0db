"""From the config to what is watched: every backend of every service, with its probes.

The one rule: what cannot be asked is refused here, before anything that runs is touched.
"""

from __future__ import annotations

from dataclasses import dataclass

from libra_health.asked import PORT_OR_NONE, PORTLESS, spec_of
from libra_health.probes import Probe
from libra_health.verdict import Damping, Guard, Key, Lookout, Policy, Vantage, Watch
from libra_health.wire import Origin, Target
from libra_schemas import config as written
from libra_schemas.marks import marks_of
from libra_schemas.target import target_of


@dataclass(frozen=True, slots=True)
class _Place:
    """One backend, and who asks: *own* is the node's address, *mark* what leads to the backend.

    *vantage*: whose votes count, None where only this node's view does.
    """

    service: written.ServiceConfig
    backend: written.BackendConfig
    node: str
    own: str
    mark: int
    vantage: Vantage | None


def watches_of(config: written.Config, node: str) -> tuple[Watch, ...]:
    """List all backends with the probes that *node* runs.

    Raises ValueError where a check cannot be asked.
    """
    marks = marks_of(config)
    own = str(config.nodes[node].address) if node in config.nodes else ""
    return tuple(
        _watch(
            (service_name, name),
            _Place(service, backend, node, own, marks.get((service_name, name), 0), vantage),
        )
        for service_name, service in config.services.items()
        for vantage in (_vantage(service, config, node),)
        for name, backend in service.backends.items()
    )


def _vantage(service: written.ServiceConfig, config: written.Config, node: str) -> Vantage | None:
    mode, missing = service.vantage.mode, service.vantage.unreachable
    peers = tuple(name for name in config.nodes if name != node)
    if mode == "local" or not peers:
        return None
    return Vantage(node, peers, mode == "any", None if missing == "ignore" else missing == "up")


def _watch(key: Key, place: _Place) -> Watch:
    service, backend = place.service, place.backend
    try:
        lookouts = tuple(_lookout(place, check) for check in service.checks_of(backend))
    except ValueError as error:
        raise ValueError(f"services.{key[0]}.backends.{key[1]}.check: {error}") from error
    protocol = "fwmark" if service.fwmark is not None else service.protocol
    address, port = str(backend.address.address), backend.address.port
    digest, policy = target_of(service, backend), _policy(place)
    return Watch(key, address, port, protocol, digest, lookouts, policy)


def _policy(place: _Place) -> Policy:
    service, backend = place.service, place.backend
    limits, most = service.damping, service.max_down
    size = len(service.backends)
    return Policy(
        any_passes=service.require_of(backend) == "any",
        weight=backend.weight,
        slow_start=service.slow_start_of(backend),
        damping=Damping(limits.changes, limits.within, limits.stable) if limits else None,
        guard=Guard(most.allowance(size), most.within) if most else None,
        assume_up=service.assume_up,
        vantage=place.vantage,
    )


def _lookout(place: _Place, check: written.CheckConfig) -> Lookout:
    target = _through(place, check) if check.data_path else _straight(place, check)
    probe = Probe(target, spec_of(check, target), check.every, check.timeout)
    label = f"{check.kind} {target}{_asked(check)}"[:256]
    route = _route(place) if check.data_path else ""
    return Lookout(probe, check.rise, check.fall, label + route)


def _asked(check: written.CheckConfig) -> str:
    """Say what is asked there, to tell checks of one kind apart."""
    if (spec := check.http or check.https) is not None:
        return ",".join(one.path for one in spec.each)
    if check.tcp is not None and check.tcp.preset is not None:
        return f" {check.tcp.preset}"
    if check.dns is not None:
        return f" {check.dns.name} {check.dns.type}"
    if check.grpc is not None:
        return f" {check.grpc.service}" if check.grpc.service else ""
    if check.exec is not None:
        return f" {check.exec.command[0]}"
    return f" {check.file.path}" if check.file is not None else ""


def _straight(place: _Place, check: written.CheckConfig) -> Target:
    """Aim at the backend's own address, or the one that the check names."""
    service, backend = place.service, place.backend
    own_port = backend.address.port or (service.address.port if service.address else 0)
    port = 0 if check.kind in PORTLESS else check.port or own_port
    if not port and check.kind not in PORTLESS | PORT_OR_NONE:
        raise ValueError("no port to check; name one")
    address = check.bind_of(place.node)
    origin = Origin(
        "" if address is None else str(address),
        check.interface_of(place.node) or "",
        check.fwmark or 0,
    )
    return Target(str(check.address or backend.address.address), port, origin)


def _through(place: _Place, check: written.CheckConfig) -> Target:
    """Aim at the service's address, with the mark by which IPVS knows the backend.

    Bound to the node's own address: else the master would ask as the virtual one.
    """
    virtual = place.service.address
    if virtual is None or not place.mark:
        raise ValueError("data_path takes a service that has an address")
    port = virtual.port or check.port or 0
    own = str(check.bind_of(place.node) or place.own)
    if not port or not own or check.kind in PORTLESS | PORT_OR_NONE:
        lacking = f"an address of node {place.node}" if port and not own else "a port to check"
        raise ValueError(f"data_path takes {lacking}")
    return Target(str(virtual.address), port, Origin(own, "", place.mark))


def _route(place: _Place) -> str:
    forward = place.service.forward_of(place.backend)
    return f" through {forward} to {place.backend.address.address}"
