"""Which holds a config asks for, and of whom each one speaks.

The one rule: one hold per distinct target, however many services use it; it condemns only what is
checked by connecting to that very target.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from libra_health import checks
from libra_health.hold.words import Hold
from libra_health.probes import Probe
from libra_health.verdict import Key, Watch
from libra_health.wire import Connect, Origin, Target
from libra_schemas import config as written

_MAY_READ: Final = frozenset({"http", "https", "smtp", "ldap"})
"""The checks that may read a file before they connect, all of them by TCP."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A hold; the probes that its end hurries, and the lookouts that it may condemn."""

    hold: Hold
    probes: tuple[Probe, ...]
    condemns: tuple[tuple[Key, int], ...]


def wanted_of(config: written.Config, node: str, watches: Iterable[Watch]) -> tuple[Wanted, ...]:
    """List the holds that *node* keeps for these watches of *config*."""
    users: dict[Target, list[Watch]] = {}
    for watch in watches:
        service = config.services[watch.key[0]]
        target = _target(service, service.backends[watch.key[1]], node)
        if target is not None and watch.lookouts:
            users.setdefault(target, []).append(watch)
    return tuple(_wanted(target, those) for target, those in users.items())


def _target(
    service: written.ServiceConfig, backend: written.BackendConfig, node: str
) -> Target | None:
    hold = service.hold_of(backend)
    if hold is None:
        return None
    own = backend.address.port or (service.address.port if service.address else 0)
    port = hold.port or own
    if not port:
        return None
    first = next(iter(service.checks_of(backend)), None)
    origin = Origin() if first is None else _origin(first, node)
    return Target(str(backend.address.address), port, origin)


def _origin(check: written.CheckConfig, node: str) -> Origin:
    address = check.bind_of(node)
    return Origin(
        "" if address is None else str(address), check.interface_of(node) or "", check.fwmark or 0
    )


def _wanted(target: Target, watches: list[Watch]) -> Wanted:
    lookouts = [
        (watch.key, place, lookout.probe)
        for watch in watches
        for place, lookout in enumerate(watch.lookouts)
    ]
    probes = tuple(dict.fromkeys(probe for _, _, probe in lookouts))
    condemns = tuple((key, place) for key, place, probe in lookouts if _goes_to(target, probe))
    return Wanted(Hold(target, min(probe.every for probe in probes)), probes, condemns)


def _goes_to(target: Target, probe: Probe) -> bool:
    """Whether a check goes by TCP to the address and port of `target`."""
    if (probe.target.address, probe.target.port) != (target.address, target.port):
        return False
    _, effects = checks.start(probe.target, probe.spec, 0.0)
    return probe.kind in _MAY_READ or any(isinstance(effect, Connect) for effect in effects)
