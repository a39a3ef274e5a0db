"""What to do for each touched service: its desired table against what the kernel holds.

Rule: pure; a service that left the config is taken out only where nobody else wants its key.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from libra_ipvs_writer.outcome import Result, ResultsByKey
from libra_ipvs_writer.plan import Plan, plan
from libra_schemas.intent.desired import Wanted, desired, settle
from libra_schemas.intent.fold import State
from libra_schemas.intent.prepared import Prepared
from libra_schemas.table import ServiceKey, ServiceTable, Table

Owners = Mapping[ServiceKey, str]
"""Kernel service -> the service of the config that it is, or was, ours for."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The plan for one service; *key* is None where it left the config.

    *wanted* is None there too, and for a private service: nobody judges those.
    """

    name: str
    wanted: Wanted | None
    plan: Plan
    key: ServiceKey | None = None

    @property
    def keys(self) -> tuple[ServiceKey, ...]:
        """Name the kernel services that the plan changes."""
        return tuple(dict.fromkeys(step.operation.key for step in self.plan.steps))

    def own(self, results: ResultsByKey) -> list[Result]:
        """Pick the results of this plan's steps."""
        return [result for key in self.keys for result in results.get(key, ())]


def propose(
    state: State,
    prepared: Prepared,
    names: AbstractSet[str],
    held: Table,
    owners: Owners,
    verdicts: Mapping[str, bool | None],
) -> list[Proposal]:
    """Propose a plan for every service of *names*, also for those that need none."""
    ours: dict[str, list[ServiceKey]] = {}
    for key, name in owners.items():
        if name in names:
            ours.setdefault(name, []).append(key)
    return [
        _propose(state, prepared, name, _held(held, prepared, name, ours), verdicts.get(name))
        for name in sorted(names)
    ]


def _held(
    held: Table, prepared: Prepared, name: str, ours: Mapping[str, list[ServiceKey]]
) -> dict[ServiceKey, ServiceTable]:
    """Give what the kernel holds for *name*: its present key, and former ones nobody wants."""
    present = prepared.key_of(name)
    former = [key for key in ours.get(name, []) if key not in prepared.owners]
    keys = [*former, *([present] if present else [])]
    return {key: held[key] for key in keys if key in held}


def _propose(
    state: State,
    prepared: Prepared,
    name: str,
    actual: dict[ServiceKey, ServiceTable],
    was_up: bool | None,  # noqa: FBT001 - a verdict, not a switch
) -> Proposal:
    if name in prepared.paths:
        table = prepared.paths[name].table
        return Proposal(name, None, plan({table.key: table}, actual), table.key)
    if name not in prepared.pools:
        return Proposal(name, None, plan({}, actual))
    wanted = desired(state, prepared, name, was_up=was_up)
    key = wanted.service.key
    return Proposal(name, wanted, plan({key: settle(wanted, actual.get(key))}, actual), key)
