"""What the ipvs-writer says: services, the kernel's table, connection sync, checkpoints."""

from typing import Annotated, Any, Literal

from pydantic import Field

from libra_schemas.events.common import Causes, Data, EvidenceText
from libra_schemas.model import Digest, Fact, Name

Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[float, Field(ge=0)]


class ServiceState(Data):
    """Quorum of a service gained or lost; the sorry server goes out or in with it."""

    service: Name
    up: bool
    live_weight: Count
    quorum: Count
    hysteresis: Count
    eligible: Count
    backends: Count
    sorry: bool = False
    """Whether a sorry server serves now."""
    why: EvidenceText = ""


class SyncState(Data):
    """The role of the kernel's connection sync daemon."""

    role: Literal["master", "backup", "both", "off"]
    interface: str = ""
    syncid: Annotated[int, Field(ge=0, le=255)] = 0
    group: str = "224.0.0.81"
    port: int = 8848
    ttl: int = 1
    maxlen: int = 0


class FreshState(Data):
    """How many of the peer's connections this node holds."""

    own: Count
    peer: Count
    coverage: Annotated[float, Field(ge=0, le=1)]


class OperationResult(Fact):
    """One accepted change of the kernel table.

    *operation* is the JSON form of `libra_schemas.table.Operation`; *why* says what in the log
    wanted it.
    """

    operation: dict[str, Any]
    why: EvidenceText = ""


class TableChange(Data):
    """The kernel accepted changes of one service (the one event that is a delta).

    *key* is the JSON form of the kernel's service key, *digest* that of the service's resulting
    table (`libra_schemas.table.digest`), *changes* how many `table.changed` came since the last
    `table.recorded` of this service, *cause_to_kernel_ms* the time from the first cause decided
    to the last ack.
    """

    service: str
    key: dict[str, Any]
    operations: tuple[OperationResult, ...]
    digest: Digest
    present: bool
    """Whether the kernel holds the service afterwards."""
    changes: Count = 0
    cause_to_kernel_ms: Milliseconds | None = None
    perform_ms: Milliseconds = 0.0
    unlogged: bool = False


class TableRecord(Data):
    """The whole listing of one service as the kernel holds it."""

    service: str
    why: Literal["adopted", "start", "periodic", "repaired"]
    table: dict[str, Any] | None = None
    """JSON form of `libra_schemas.table.ServiceTable`; None where the kernel holds none."""
    digest: Digest


class TableDrift(Data):
    """The kernel differed from what the log says it holds."""

    service: str
    ours: bool
    differences: tuple[EvidenceText, ...]
    repaired: bool


class TableRefusal(Data):
    """The kernel refused an operation; it is tried again after *retry_ms*."""

    service: str
    operation: dict[str, Any]
    errno: int
    error: EvidenceText
    attempt: Annotated[int, Field(ge=1)] = 1
    retry_ms: Milliseconds | None = None
    cancelled: Count = 0
    """Dependent operations that were not tried."""


class Head(Fact):
    """Where one source's chain stands."""

    source: str
    epoch: int
    chainseq: str
    chainhash: Digest


class Checkpoint(Data):
    """Chain heads per source, log sequences and table digests of one moment."""

    first: Count
    last: Count
    heads: tuple[Head, ...]
    tables: dict[str, Digest]


__all__ = [
    "Causes",
    "Checkpoint",
    "FreshState",
    "Head",
    "OperationResult",
    "ServiceState",
    "SyncState",
    "TableChange",
    "TableDrift",
    "TableRecord",
    "TableRefusal",
]
