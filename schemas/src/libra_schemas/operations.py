"""What is done to the kernel's table, as values, and what doing it makes of a table.

Rule: an operation says its whole effect, so that replaying the accepted ones in order gives
the very table the kernel holds.
"""

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, assert_never

from libra_schemas.reading import MalformedTable
from libra_schemas.table import (
    Destination,
    Json,
    Service,
    ServiceKey,
    ServiceTable,
    Table,
    destination_from_json,
    destination_to_json,
    key_from_json,
    key_to_json,
    service_from_json,
    service_to_json,
)

Op = Literal[
    "add_service",
    "set_service",
    "delete_service",
    "add_destination",
    "set_destination",
    "delete_destination",
]


@dataclass(frozen=True, slots=True)
class AddService:
    """Make a virtual service (IPVS_CMD_NEW_SERVICE)."""

    service: Service
    op: ClassVar[Op] = "add_service"

    @property
    def key(self) -> ServiceKey:
        """Name the service."""
        return self.service.key


@dataclass(frozen=True, slots=True)
class SetService:
    """Change a virtual service's attributes in place (IPVS_CMD_SET_SERVICE)."""

    service: Service
    op: ClassVar[Op] = "set_service"

    @property
    def key(self) -> ServiceKey:
        """Name the service."""
        return self.service.key


@dataclass(frozen=True, slots=True)
class DeleteService:
    """Remove a virtual service with its destinations (IPVS_CMD_DEL_SERVICE)."""

    key: ServiceKey
    op: ClassVar[Op] = "delete_service"


@dataclass(frozen=True, slots=True)
class AddDestination:
    """Add a real server to a service (IPVS_CMD_NEW_DEST)."""

    key: ServiceKey
    destination: Destination
    op: ClassVar[Op] = "add_destination"


@dataclass(frozen=True, slots=True)
class SetDestination:
    """Change a real server in place (IPVS_CMD_SET_DEST)."""

    key: ServiceKey
    destination: Destination
    op: ClassVar[Op] = "set_destination"


@dataclass(frozen=True, slots=True)
class DeleteDestination:
    """Take a real server out of a service (IPVS_CMD_DEL_DEST)."""

    key: ServiceKey
    address: str
    port: int
    op: ClassVar[Op] = "delete_destination"


Operation = (
    AddService | SetService | DeleteService | AddDestination | SetDestination | DeleteDestination
)


def to_json(operation: Operation) -> Json:
    """Say an operation: `op`, `key` and what it carries."""
    match operation:
        case AddService() | SetService():
            return {"op": operation.op, "service": service_to_json(operation.service)}
        case DeleteService():
            return {"op": operation.op, "key": key_to_json(operation.key)}
        case AddDestination() | SetDestination() | DeleteDestination():
            return {
                "op": operation.op,
                "key": key_to_json(operation.key),
                "destination": _destination(operation),
            }
        case _:
            assert_never(operation)


def _destination(operation: AddDestination | SetDestination | DeleteDestination) -> Json:
    if isinstance(operation, DeleteDestination):
        return {"address": operation.address, "port": operation.port}
    return destination_to_json(operation.destination)


def from_json(value: Any) -> Operation:
    """Read `to_json`'s form; raise MalformedTable for anything else."""
    if not isinstance(value, dict):
        raise MalformedTable("an operation is an object")
    op = value.get("op")
    if op == "add_service":
        return AddService(service_from_json(value.get("service")))
    if op == "set_service":
        return SetService(service_from_json(value.get("service")))
    key = key_from_json(value.get("key"))
    if op == "delete_service":
        return DeleteService(key)
    return _on_destination(op, key, value.get("destination"))


def _on_destination(op: Any, key: ServiceKey, value: Any) -> Operation:
    if op == "add_destination":
        return AddDestination(key, destination_from_json(value))
    if op == "set_destination":
        return SetDestination(key, destination_from_json(value))
    if op == "delete_destination":
        named = destination_from_json({"forward": "nat", **value} if value else value)
        return DeleteDestination(key, named.address, named.port)
    raise MalformedTable(f"no such operation: {op!r}")


def apply_operations(
    table: Table, operations: Iterable[Operation]
) -> dict[ServiceKey, ServiceTable]:
    """Replay accepted operations over *table*, as the kernel does; *table* is not changed.

    Adding what is there replaces it and deleting what is not changes nothing, so that a replay
    that starts in the middle still ends at the kernel's table.
    """
    several = tuple(operations)
    held = {key: table[key] for key in {each.key for each in several} if key in table}
    services = {key: each.service for key, each in held.items()}
    servers = {key: {d.key: d for d in each.destinations} for key, each in held.items()}
    touched = {_apply(services, servers, operation) for operation in several}
    untouched = {key: each for key, each in table.items() if key not in touched}
    return untouched | {
        key: ServiceTable.of(services[key], servers.get(key, {}).values())
        for key in touched
        if key in services
    }


def apply_to(
    table: MutableMapping[ServiceKey, ServiceTable], operations: Iterable[Operation]
) -> None:
    """Replay accepted operations over *table* itself: the cost is that of what they name."""
    several = tuple(operations)
    keys = {each.key for each in several}
    had = {key: table.pop(key) for key in keys if key in table}
    table.update(apply_operations(had, several))


def _apply(
    services: dict[ServiceKey, Service],
    servers: dict[ServiceKey, dict[tuple[str, int], Destination]],
    operation: Operation,
) -> ServiceKey:
    key = operation.key
    match operation:
        case AddService() | SetService():
            services[key] = operation.service
        case DeleteService():
            services.pop(key, None)
            servers.pop(key, None)
        case AddDestination() | SetDestination():
            servers.setdefault(key, {})[operation.destination.key] = operation.destination
        case DeleteDestination():
            servers.get(key, {}).pop((operation.address, operation.port), None)
        case _:
            assert_never(operation)
    return key
