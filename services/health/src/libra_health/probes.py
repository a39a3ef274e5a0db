"""What is asked: one check of one target, and how often.

The one rule: what is asked alike is one probe, and an apply moves only what it changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from libra_health.checks import Spec, kind_of
from libra_health.wire import Target


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
class Changes:
    """What becomes of the running probes. `retimed`: (old, new), only the times differ."""

    stopped: tuple[Probe, ...]
    started: tuple[Probe, ...]
    retimed: tuple[tuple[Probe, Probe], ...]


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
