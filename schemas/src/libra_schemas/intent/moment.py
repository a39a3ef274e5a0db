"""What was wanted at one moment: the log up to it, read as the ipvs-writer reads it (design §9).

Rule: a config that cannot be used counts for nothing; the one before it stays in force.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from libra_schemas.config import Config
from libra_schemas.errors import ConfigError
from libra_schemas.events import ConfigApplied
from libra_schemas.intent.desired import desired, last_verdict, settle
from libra_schemas.intent.fold import Entry, State, fold
from libra_schemas.intent.prepared import Prepared, prepare
from libra_schemas.load import config_of
from libra_schemas.table import ServiceKey, ServiceTable, Table

AREAS = ("config", "backend", "operator", "service")
"""First tokens of the event types that decide what is wanted."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The registers at a moment and the config in force, None where there was none.

    *unusable* are the LOG sequences of newer configs that this release cannot use.
    """

    state: State
    prepared: Prepared | None
    unusable: tuple[int, ...] = ()

    def wanted(self, held: Table) -> dict[ServiceKey, ServiceTable]:
        """Give the table wanted; where no verdict is valid, what the kernel *held* is."""
        if self.prepared is None:
            return {}
        services = {
            key: self._settled(self.prepared, name, held.get(key))
            for key, name in self.prepared.names.items()
        }
        return services | {path.table.key: path.table for path in self.prepared.paths.values()}

    def _settled(self, prepared: Prepared, name: str, held: ServiceTable | None) -> ServiceTable:
        was_up = last_verdict(self.state, name)
        return settle(desired(self.state, prepared, name, was_up=was_up), held)


def moment(node: str, entries: Iterable[Entry]) -> Moment:
    """Fold *entries*, in any order, into what *node* wanted after the last of them."""
    several = tuple(entries)
    state, _ = fold({}, several)
    config, unusable = _in_force(several)
    return Moment(state, prepare(config, node) if config else None, unusable)


def _in_force(entries: Iterable[Entry]) -> tuple[Config | None, tuple[int, ...]]:
    """Find the newest config that can be used."""
    applied = [
        (e.sequence, e.event.data) for e in entries if isinstance(e.event.data, ConfigApplied)
    ]
    unusable: list[int] = []
    for sequence, data in sorted(applied, key=lambda each: -each[0]):
        try:
            config, _ = config_of(data)
        except ConfigError:
            unusable.append(sequence)
        else:
            return config, tuple(unusable)
    return None, tuple(unusable)
