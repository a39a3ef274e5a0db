"""What the notifier says: receipts."""

from typing import Annotated, Literal

from pydantic import Field

from libra_schemas.events.common import Data, EvidenceText
from libra_schemas.model import Name


class Receipt(Data):
    """A notification was delivered, or given up after *attempts* tries.

    *events* are the ids it told of, *about* their types and keys; *key* is the idempotency
    key the receiver saw; *reader* the LOG sequence up to which this sink is done.
    """

    sink: Name
    kind: Literal["webhook", "email", "program", "syslog", "chat", "fifo"]
    delivered: bool
    events: tuple[str, ...]
    about: EvidenceText = ""
    key: str
    attempts: Annotated[int, Field(ge=1)]
    detail: EvidenceText = ""
    took_ms: Annotated[float, Field(ge=0)] = 0.0
    reader: Annotated[int, Field(ge=0)] = 0
