"""Whether what an event says agrees with where it says it.

Rule: readers trust subject, type and data alike, so an event in which they contradict each other
is malformed: `backend.up` whose data says down, or data of another entity than its key.
"""

from typing import assert_never

from libra_schemas.events import (
    AdminState,
    Alarm,
    BackendState,
    Checkpoint,
    ConfigApplied,
    ConfigRejected,
    EventData,
    FreshState,
    InstanceState,
    MasterHeard,
    PeerState,
    PriorityState,
    Receipt,
    Recovered,
    ServiceState,
    Started,
    Stopped,
    SyncState,
    TableChange,
    TableDrift,
    TableRecord,
    TableRefusal,
)


def contradiction(event_type: str, key: tuple[str, ...], data: EventData) -> str:
    """Say how *data* contradicts *event_type* or *key*; "" where it does not."""
    entity = _entity(data)
    if entity is not None and entity != key:
        return f"data of {'.'.join(entity)} on the key {'.'.join(key)}"
    verb = event_type.partition(".")[2]
    if not _means(verb, data):
        return f"data that does not say {verb} in {event_type}"
    return ""


def _entity(data: EventData) -> tuple[str, ...] | None:
    """Name the entity that *data* is of, None where the key alone says it."""
    match data:
        case BackendState():
            return (data.service, data.backend)
        case InstanceState() | PriorityState() | MasterHeard() | Alarm():
            return (data.instance,)
        case AdminState():
            return data.entity
        case Receipt():
            return (data.sink,)
        case PeerState():
            return (data.node,)
        case SyncState() | FreshState() | ConfigApplied() | ConfigRejected() | Checkpoint():
            return None
        case (
            ServiceState()
            | TableChange()
            | TableRecord()
            | TableDrift()
            | TableRefusal()
            | Started()
            | Stopped()
            | Recovered()
        ):
            return (data.service,)
        case _:
            assert_never(data)


def _means(verb: str, data: EventData) -> bool:
    match data:
        case BackendState():
            return {"up": data.up, "down": not data.up, "held": data.held}.get(verb, True)
        case ServiceState():
            return data.up == (verb == "up")
        case InstanceState():
            return data.state == verb
        case AdminState():
            return verb not in {"drain", "maint", "ready"} or data.mode == verb
        case Receipt():
            return data.delivered == (verb == "sent")
        case PeerState():
            return data.reachable == (verb == "back")
        case _:
            return True
