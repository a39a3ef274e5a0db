"""Every event type, the data it carries and nothing else: one table."""

from libra_schemas.events.common import Causes, Data
from libra_schemas.events.console import AdminState, ConfigApplied, ConfigRejected, PeerState
from libra_schemas.events.health import BackendState, Evidence, Vote
from libra_schemas.events.node import Recovered, Started, Stopped
from libra_schemas.events.notifier import Receipt
from libra_schemas.events.vrrp import (
    Alarm,
    InstanceState,
    MasterHeard,
    MovedBy,
    PriorityState,
)
from libra_schemas.events.writer import (
    Checkpoint,
    FreshState,
    ServiceState,
    SyncState,
    TableChange,
    TableDrift,
    TableRecord,
    TableRefusal,
)

EventData = (
    BackendState
    | ServiceState
    | InstanceState
    | PriorityState
    | MasterHeard
    | Alarm
    | SyncState
    | FreshState
    | TableChange
    | TableRecord
    | TableDrift
    | TableRefusal
    | ConfigApplied
    | ConfigRejected
    | AdminState
    | Receipt
    | PeerState
    | Started
    | Stopped
    | Recovered
    | Checkpoint
)

MODELS: dict[str, type[EventData]] = {
    "backend.up": BackendState,
    "backend.down": BackendState,
    "backend.weight": BackendState,
    "backend.held": BackendState,
    "backend.seen": BackendState,
    "service.up": ServiceState,
    "service.down": ServiceState,
    "vrrp.master": InstanceState,
    "vrrp.backup": InstanceState,
    "vrrp.fault": InstanceState,
    "vrrp.stopped": InstanceState,
    "vrrp.priority": PriorityState,
    "vrrp.follows": MasterHeard,
    "vrrp.alarm": Alarm,
    "conn.sync": SyncState,
    "conn.fresh": FreshState,
    "table.changed": TableChange,
    "table.recorded": TableRecord,
    "table.drift": TableDrift,
    "table.refused": TableRefusal,
    "config.applied": ConfigApplied,
    "config.rejected": ConfigRejected,
    "operator.drain": AdminState,
    "operator.ready": AdminState,
    "operator.maint": AdminState,
    "operator.weight": AdminState,
    "operator.failover": AdminState,
    "notify.sent": Receipt,
    "notify.failed": Receipt,
    "peer.lost": PeerState,
    "peer.back": PeerState,
    "node.started": Started,
    "node.stopped": Stopped,
    "node.recovered": Recovered,
    "log.checkpoint": Checkpoint,
}

__all__ = [
    "MODELS",
    "AdminState",
    "Alarm",
    "BackendState",
    "Causes",
    "Checkpoint",
    "ConfigApplied",
    "ConfigRejected",
    "Data",
    "EventData",
    "Evidence",
    "FreshState",
    "InstanceState",
    "MasterHeard",
    "MovedBy",
    "PeerState",
    "PriorityState",
    "Receipt",
    "Recovered",
    "ServiceState",
    "Started",
    "Stopped",
    "SyncState",
    "TableChange",
    "TableDrift",
    "TableRecord",
    "TableRefusal",
    "Vote",
]
