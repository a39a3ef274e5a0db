"""What the kernel held: the fold of `table.*`, event by event.

`table.recorded` says the whole of one service, `table.changed` what the kernel accepted since;
where the log begins in the middle, a service is known from its first record on.
"""

from dataclasses import dataclass, field

from libra_schemas.envelope import Event, Unrecognised
from libra_schemas.events import TableChange, TableRecord
from libra_schemas.operations import apply_operations, from_json
from libra_schemas.table import ServiceKey, ServiceTable, digest, key_from_json, table_from_json


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
        data = event.data
        if isinstance(data, TableChange):
            self._change(data)
        elif isinstance(data, TableRecord):
            self._record(data)
        else:
            return
        self.sequence = sequence
        self._compare(sequence, data)

    def _change(self, change: TableChange) -> None:
        """Apply operations by their own keys: a service that moves has two."""
        key = key_from_json(change.key)
        operations = [from_json(each.operation) for each in change.operations]
        keys = {key, *(each.key for each in operations)}
        held = {each: self.tables[each] for each in keys if each in self.tables}
        after = apply_operations(held, operations)
        for each in keys:
            self._put(change.service, each, after.get(each))

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
        key = _key(data)
        held = self.tables.get(key) if key else None
        if digest(*([held] if held else [])) != data.digest:
            self.unsure.setdefault(data.service, sequence)
        else:
            self.unsure.pop(data.service, None)


def _key(data: TableChange | TableRecord) -> ServiceKey | None:
    """Name the kernel service whose digest *data* states."""
    if isinstance(data, TableChange):
        return key_from_json(data.key)
    return table_from_json(data.table).key if data.table else None
