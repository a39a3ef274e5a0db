"""Who wants what probed: backends on one side, distinct probes on the other.

The one rule: one probe per distinct (target, spec, times), however many services use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from libra_health.checks import Spec, kind_of
from libra_health.policy import PLAIN, Policy
from libra_health.stand import Place
from libra_health.wire import Target

Key: TypeAlias = tuple[str, str]
"""Service and backend name."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One check of one target, every `every` seconds, each given up after `timeout` seconds."""

    target: Target
    spec: Spec
    every: float
    timeout: float
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once: a probe is looked up at every result."""
        words = (self.target, self.spec, self.every, self.timeout)
        object.__setattr__(self, "_hash", hash(words))

    def __hash__(self) -> int:
        return self._hash

    @property
    def kind(self) -> str:
        """The config word of its check."""
        return kind_of(self.spec)

    def asks_the_same(self, other: Probe) -> bool:
        """Whether the answers of the other speak for this one too."""
        return self.target == other.target and self.spec == other.spec


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


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes of the running probes. `retimed`: (old, new), only the times differ."""

    stopped: tuple[Probe, ...]
    started: tuple[Probe, ...]
    retimed: tuple[tuple[Probe, Probe], ...]


def fan_out(watches: Iterable[Watch]) -> FanOut:
    """Gather the distinct probes of all watches and who uses them."""
    users: dict[Probe, list[tuple[Key, int]]] = {}
    for watch in watches:
        for place, lookout in enumerate(watch.lookouts):
            users.setdefault(lookout.probe, []).append((watch.key, place))
    return {probe: tuple(keys) for probe, keys in users.items()}


def diff(running: Iterable[Probe], wanted: Iterable[Probe]) -> Changes:
    """Compare two sets of probes; what is in both is not mentioned."""
    before, after = dict.fromkeys(running), dict.fromkeys(wanted)
    gone = {(p.target, p.spec): p for p in before if p not in after}
    started: list[Probe] = []
    retimed: list[tuple[Probe, Probe]] = []
    for probe in after:
        if probe in before:
            continue
        old = gone.pop((probe.target, probe.spec), None)
        if old is None:
            started.append(probe)
        else:
            retimed.append((old, probe))
    replaced = {old for old, _ in retimed}
    stopped = tuple(p for p in before if p not in after and p not in replaced)
    return Changes(stopped, tuple(started), tuple(retimed))
