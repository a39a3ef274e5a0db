"""What the kernel held: the fold of `table.*`, event by event.

`table.recorded` says the whole of one service, `table.changed` what the kernel accepted since;
where the log begins in the middle, a service is known from its first record on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from libra_schemas.envelope import Event, Unrecognised
from libra_schemas.events import TableChange, TableRecord
from libra_schemas.operations import apply_operations, from_json
from libra_schemas.reading import MalformedTable
from libra_schemas.table import ServiceKey, ServiceTable, digest, key_from_json, table_from_json

TYPES = ("table.changed", "table.recorded")


@dataclass(slots=True)
class History:
    """The kernel's table as the log tells it so far.

    *names* are the services' names in the log; *unsure* those whose digest in the log differs
    from what the fold gives, with the sequence where it began.
    """

    tables: dict[ServiceKey, ServiceTable] = field(default_factory=dict)
    names: dict[ServiceKey, str] = field(default_factory=dict)
    unsure: dict[str, int] = field(default_factory=dict)
    sequence: int = 0

    def learn(self, sequence: int, event: Event | Unrecognised) -> None:
        """Fold one event; raise MalformedTable where its data describes no table."""
        data = getattr(event, "data", None)
        if isinstance(data, TableChange):
            self._change(data)
        elif isinstance(data, TableRecord):
            self._record(data)
        else:
            return
        self.sequence = sequence
        self._compare(sequence, data)

    def _change(self, change: TableChange) -> None:
        key = key_from_json(change.key)
        held = {key: self.tables[key]} if key in self.tables else {}
        operations = [from_json(each.operation) for each in change.operations]
        self._put(change.service, key, apply_operations(held, operations).get(key))

    def _record(self, record: TableRecord) -> None:
        if record.table is not None:
            table = table_from_json(record.table)
            self._put(record.service, table.key, table)
            return
        for key in [key for key, name in self.names.items() if name == record.service]:
            self._put(record.service, key, None)

    def _put(self, name: str, key: ServiceKey, table: ServiceTable | None) -> None:
        if table is None:
            self.tables.pop(key, None)
        else:
            self.tables[key] = table
        self.names[key] = name

    def _compare(self, sequence: int, data: TableChange | TableRecord) -> None:
        """Note where the log's own digest says that the fold is not what the kernel held."""
        held = [
            self.tables[k] for k, n in self.names.items() if n == data.service and k in self.tables
        ]
        gone = data.table is None if isinstance(data, TableRecord) else not data.present
        if gone != (not held) or (held and digest(*held) != data.digest):
            self.unsure.setdefault(data.service, sequence)
        else:
            self.unsure.pop(data.service, None)

    def of(self, services: Iterable[str]) -> dict[ServiceKey, ServiceTable]:
        """Choose the tables of *services* (names in the config, or kernel keys), all for none."""
        wanted = set(services)
        return {
            key: table
            for key, table in self.tables.items()
            if not wanted or self.names.get(key) in wanted or str(key) in wanted
        }


__all__ = ["TYPES", "History", "MalformedTable"]
