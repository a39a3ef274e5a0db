"""From the config to what is watched: every backend of every service, with its probes.

The one rule: what cannot be asked is refused here, before anything that runs is touched.
"""

from __future__ import annotations

from libra_health.asked import PORT_OR_NONE, PORTLESS, spec_of
from libra_health.blast import Guard
from libra_health.damping import Damping
from libra_health.policy import Policy
from libra_health.probes import Key, Lookout, Probe, Watch
from libra_health.vantage import Vantage
from libra_health.wire import Origin, Target
from libra_schemas import config as written
from libra_schemas.target import target_of


def watches_of(config: written.Config, node: str) -> tuple[Watch, ...]:
    """List all backends with the probes that *node* runs.

    Raises ValueError where a check cannot be asked.
    """
    return tuple(
        _watch((service_name, name), service, backend, node, vantage)
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


def _watch(
    key: Key,
    service: written.ServiceConfig,
    backend: written.BackendConfig,
    node: str,
    vantage: Vantage | None,
) -> Watch:
    try:
        checks = service.checks_of(backend)
        lookouts = tuple(_lookout(service, backend, check, node) for check in checks)
    except ValueError as error:
        raise ValueError(f"services.{key[0]}.backends.{key[1]}.check: {error}") from error
    protocol = "fwmark" if service.fwmark is not None else service.protocol
    address, port = str(backend.address.address), backend.address.port
    digest, policy = target_of(service, backend), _policy(service, backend, vantage)
    return Watch(key, address, port, protocol, digest, lookouts, policy)


def _policy(
    service: written.ServiceConfig, backend: written.BackendConfig, vantage: Vantage | None
) -> Policy:
    limits, most = service.damping, service.max_down
    size = len(service.backends)
    return Policy(
        any_passes=service.require_of(backend) == "any",
        weight=backend.weight,
        slow_start=service.slow_start_of(backend),
        damping=Damping(limits.changes, limits.within, limits.stable) if limits else None,
        guard=Guard(most.allowance(size), most.within) if most else None,
        assume_up=service.assume_up,
        vantage=vantage,
    )


def _lookout(
    service: written.ServiceConfig,
    backend: written.BackendConfig,
    check: written.CheckConfig,
    node: str,
) -> Lookout:
    own_port = backend.address.port or (service.address.port if service.address else 0)
    port = 0 if check.kind in PORTLESS else check.port or own_port
    if not port and check.kind not in PORTLESS | PORT_OR_NONE:
        raise ValueError("no port to check; name one")
    address = str(check.address or backend.address.address)
    target = Target(address, port, _origin(check, node))
    probe = Probe(target, spec_of(check, target), check.every, check.timeout)
    label = f"{check.kind} {target}{_place(check)}"[:256]
    return Lookout(probe, check.rise, check.fall, label)


def _place(check: written.CheckConfig) -> str:
    """Say what is asked there, to tell checks of one kind apart."""
    if (spec := check.http or check.https) is not None:
        return ",".join(one.path for one in spec.each)
    if check.tcp is not None and check.tcp.preset is not None:
        return f" {check.tcp.preset}"
    if check.dns is not None:
        return f" {check.dns.name} {check.dns.type}"
    if check.exec is not None:
        return f" {check.exec.command[0]}"
    return f" {check.file.path}" if check.file is not None else ""


def _origin(check: written.CheckConfig, node: str) -> Origin:
    address = check.bind_of(node)
    return Origin(
        "" if address is None else str(address), check.interface_of(node) or "", check.fwmark or 0
    )
