"""What has to be done so that the kernel holds what is desired, in an order that never harms.

Rule: what adds comes first; what takes away waits for it. A step that would leave a service
without a usable destination names the steps that must have brought it one (`needs`): it is
cancelled unless the kernel accepted at least one of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from libra_schemas.operations import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Operation,
    SetDestination,
    SetService,
)
from libra_schemas.table import Destination, ServiceKey, ServiceTable, Table


@dataclass(frozen=True, slots=True)
class Step:
    """One operation; *needs* are operations before it, one of which must have succeeded."""

    operation: Operation
    needs: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Two phases: *additive* is sent first, *destructive* after every ack of it."""

    additive: tuple[Step, ...] = ()
    destructive: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in the order they are performed."""
        return self.additive + self.destructive

    def __bool__(self) -> bool:
        return bool(self.additive or self.destructive)


def merge(plans: Iterable[Plan]) -> Plan:
    """Join plans for different services into one, phase by phase."""
    several = tuple(plans)
    return Plan(
        tuple(step for each in several for step in each.additive),
        tuple(step for each in several for step in each.destructive),
    )


def plan(desired: Table, actual: Table) -> Plan:
    """Plan the way from *actual* to *desired*; both hold only what is ours.

    Services that go wait for one of those that come: a service that moves to another address
    keeps its old one until the kernel has the new.
    """
    parts = [_change(table, actual.get(key)) for key, table in desired.items()]
    come = tuple(AddService(table.service) for key, table in desired.items() if key not in actual)
    go = tuple(Step(DeleteService(key), come) for key in actual if key not in desired)
    return merge([*parts, Plan((), go)])


def _change(desired: ServiceTable, actual: ServiceTable | None) -> Plan:
    if actual is None:
        return _make(desired)
    if desired == actual:
        return Plan()
    key = desired.key
    had = {each.key: each for each in actual.destinations}
    changes = [
        _toward(key, each, had.get(each.key))
        for each in desired.destinations
        if had.get(each.key) != each
    ]
    gains = [each for each in changes if _brings_weight(each, had)]
    losses = [each for each in changes if not _brings_weight(each, had)]
    wanted = {each.key for each in desired.destinations}
    gone = [DeleteDestination(key, *each) for each in had if each not in wanted]
    needs = () if _survives(desired, had) else tuple(each for each in gains if _usable(each))
    service = [SetService(desired.service)] if desired.service != actual.service else []
    return Plan(
        tuple(Step(each) for each in (*service, *gains)),
        tuple(Step(each, needs) for each in (*losses, *gone)),
    )


def _make(desired: ServiceTable) -> Plan:
    key, first = desired.key, AddService(desired.service)
    needs = (first,)
    return Plan(
        (
            Step(first),
            *(Step(AddDestination(key, each), needs) for each in desired.destinations),
        )
    )


Change = AddDestination | SetDestination


def _toward(key: ServiceKey, destination: Destination, held: Destination | None) -> Change:
    return SetDestination(key, destination) if held else AddDestination(key, destination)


def _brings_weight(change: Change, had: dict[tuple[str, int], Destination]) -> bool:
    """Tell whether a change cannot take away: an addition, or one that keeps some weight."""
    held = had.get(change.destination.key)
    return held is None or change.destination.weight > 0 or held.weight == 0


def _usable(change: Change) -> bool:
    return change.destination.weight > 0


def _survives(desired: ServiceTable, had: dict[tuple[str, int], Destination]) -> bool:
    """Tell whether a destination that is usable now stays usable whatever the kernel refuses."""
    return any(
        each.weight > 0 and each.key in had and had[each.key].weight > 0
        for each in desired.destinations
    )
