"""One notification: an event on its way to one sink.

Rule: what a receiver needs to know it again (the idempotency key) follows from the sink and the
event alone, so it is the same after a restart and on another node.
"""

import re
from dataclasses import dataclass, field
from hashlib import sha256

from libra_schemas.envelope import Event, Unrecognised
from libra_schemas.subjects import Subject

_PLAIN = re.compile(r"^[A-Za-z0-9._-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Notice:
    """An event for *sink*: *raw* are its exact stored bytes, *sequence* its place in LOG.

    *attempt* counts from 1; *served* are the recipients that earlier attempts reached.
    """

    sink: str
    event: Event | Unrecognised
    subject: Subject
    raw: bytes
    sequence: int
    attempt: int = 1
    served: frozenset[str] = field(default_factory=frozenset)

    @property
    def key(self) -> str:
        """The idempotency key the receiver sees."""
        return idempotency_key(self.sink, self.event.id)


def idempotency_key(sink: str, event_id: str) -> str:
    """Name the telling of one event to one sink; safe in a header, a file name, a Message-ID.

    Ids are foreign text: one that is not plain is replaced by its SHA-256.
    """
    plain = event_id if _PLAIN.match(event_id) else sha256(event_id.encode()).hexdigest()
    return f"{sink}-{plain}"
