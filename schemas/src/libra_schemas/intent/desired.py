"""What the table should hold: config, verdicts and operators' will joined, service by service.

Rule: the join happens here alone. A backend is In with a weight, Out, or AsFound: without a valid
verdict what the kernel holds stays, and what it does not hold is not added.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from libra_schemas.admin import READY, Will, join, keys_of
from libra_schemas.events import AdminState, BackendState, ServiceState
from libra_schemas.intent.fold import State, data
from libra_schemas.intent.pool import Health, Member, Verdict, judge
from libra_schemas.intent.prepared import Backend, DestinationKey, Pool, Prepared
from libra_schemas.table import Destination, Service, ServiceTable


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
AS_FOUND, OUT = AsFound(), Out()


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
class Seen:
    """One backend with all that events say of it; *state* is its verdict where that is valid."""

    backend: Backend
    state: BackendState | None
    health: Health
    will: Will

    @property
    def weight(self) -> int:
        """The weight wanted while it is in: an operator's, a check's, or else the config's."""
        if self.will.mode != "ready":
            return 0
        if self.will.weight is not None:
            return min(1, self.will.weight) if self._is_held else self.will.weight
        if self.state is not None and self.state.weight is not None:
            return self.state.weight
        return min(1, self.configured) if self._is_held else self.configured

    @property
    def configured(self) -> int:
        """The config's weight."""
        return self.backend.destination.weight

    @property
    def _is_held(self) -> bool:
        return self.state is not None and self.state.held


def desired(state: State, prepared: Prepared, name: str, *, was_up: bool | None) -> Wanted:
    """Tell what service *name* should be; *was_up* is the pool's last verdict."""
    pool = prepared.pools[name]
    seen = tuple(look(state, prepared, name).values())
    verdict = judge(
        (
            Member(each.health, each.backend.destination.weight, each.will.mode != "maint")
            for each in seen
        ),
        pool.config.quorum,
        pool.config.hysteresis,
        was_up=was_up,
    )
    sorry = verdict.up is False and pool.sorry is not None
    places: dict[DestinationKey, Place] = {
        each.backend.destination.key: OUT if sorry else _place(pool, each) for each in seen
    }
    if pool.sorry is not None:
        places.setdefault(pool.sorry.key, _sorry(pool.sorry, verdict))
    return Wanted(name, pool.service, places, verdict, sorry)


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
    said = data(state, ServiceState, "service", name)
    return said.up if said else None


def look(state: State, prepared: Prepared, name: str) -> dict[str, Seen]:
    """Join what events say of every backend of service *name*."""
    pool, node = prepared.pools[name], prepared.node
    *wide, _ = (_admin(state, key) for key in keys_of(node, name, ""))
    unruled = wide == [None, None]
    seen: dict[str, Seen] = {}
    for backend, each in pool.backends.items():
        own = _admin(state, keys_of(node, name, backend)[-1])
        will = READY if unruled and own is None else join(node, (*wide, own))
        last = data(state, BackendState, "backend", name, backend)
        verdict = last if last and last.target == each.target else None
        health = _health(verdict) if verdict else _unheard(pool, each, last)
        seen[backend] = Seen(each, verdict, health, will)
    return seen


def _admin(state: State, key: tuple[str, ...]) -> AdminState | None:
    return data(state, AdminState, "admin", *key)


def _health(verdict: BackendState) -> Health:
    return "up" if verdict.up or verdict.held else "down"


def _unheard(pool: Pool, backend: Backend, last: BackendState | None) -> Health:
    """Judge a backend without a verdict against this config: what was last down is not assumed."""
    is_down = last is not None and not last.up and _is_about(last, pool, backend.destination)
    return "up" if pool.config.assume_up and not is_down else "unknown"


def _is_about(verdict: BackendState, pool: Pool, real: Destination) -> bool:
    """Tell whether a verdict, whatever was checked for it, is about this very server."""
    protocol = "fwmark" if pool.config.fwmark is not None else pool.config.protocol
    place = (str(verdict.address), verdict.protocol) == (str(real.address), protocol)
    return place and verdict.port in {0, real.port}


def _place(pool: Pool, seen: Seen) -> Place:
    if seen.will.mode == "maint":
        return OUT
    match seen.health:
        case "unknown":
            return AS_FOUND
        case "down":
            return _weighing(seen.backend, 0) if pool.config.on_failure == "quiesce" else OUT
        case "up":
            return _weighing(seen.backend, seen.weight)


def _weighing(backend: Backend, weight: int) -> In:
    destination = backend.destination
    return In(destination if destination.weight == weight else replace(destination, weight=weight))


def _sorry(destination: Destination, verdict: Verdict) -> Place:
    """Put the sorry server in while the service is down, out while it is up, else leave it."""
    if verdict.up is None:
        return AS_FOUND
    return OUT if verdict.up else In(destination)
