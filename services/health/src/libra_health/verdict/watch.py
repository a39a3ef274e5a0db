"""What is watched: backends, each with its probes and with how they make its verdict.

The one rule: one probe per distinct (target, spec, times), however many services use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from libra_health.probes import Probe
from libra_health.verdict.policy import PLAIN, Policy
from libra_health.verdict.stand import Place

Key: TypeAlias = tuple[str, str]
"""Service and backend name."""


@dataclass(frozen=True, slots=True)
class Lookout:
    """A probe as one backend uses it. `label`: how evidence names it."""

    probe: Probe
    rise: int
    fall: int
    label: str


@dataclass(frozen=True, slots=True)
class Watch:
    """A backend and all that must hold for it to be up.

    `digest`: the target digest of libra_schemas that its verdicts are reached against.
    `policy`: how its checks make its verdict, and what steadies it.
    """

    key: Key
    address: str
    port: int
    protocol: str
    digest: str
    lookouts: tuple[Lookout, ...]
    policy: Policy = PLAIN

    @property
    def place(self) -> Place:
        """What makes it the same server under other checks."""
        return (self.address, self.port, self.protocol)


FanOut: TypeAlias = Mapping[Probe, tuple[tuple[Key, int], ...]]
"""Probe -> the backends that use it, each with the place of the lookout."""


def fan_out(watches: Iterable[Watch]) -> FanOut:
    """Gather the distinct probes of all watches and who uses them."""
    users: dict[Probe, list[tuple[Key, int]]] = {}
    for watch in watches:
        for place, lookout in enumerate(watch.lookouts):
            users.setdefault(lookout.probe, []).append((watch.key, place))
    return {probe: tuple(keys) for probe, keys in users.items()}


def pools_of(watches: Iterable[Watch]) -> dict[str, tuple[Key, ...]]:
    """Gather by service the backends that are ruled together: under a guard, or by votes."""
    pools: dict[str, list[Key]] = {}
    for watch in watches:
        if watch.policy.guard is not None or watch.policy.vantage is not None:
            pools.setdefault(watch.key[0], []).append(watch.key)
    return {name: tuple(keys) for name, keys in pools.items()}
