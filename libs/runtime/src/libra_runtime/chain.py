"""The chain of one source: every event names the hash of the one before it.

Rule: the chain goes on after what the log holds, never after what we believe it holds.
"""

from dataclasses import dataclass
from hashlib import sha256

from pydantic import ValidationError

from libra_schemas.envelope import NEW_CHAIN, Draft, Envelope, Link, encode
from libra_schemas.subjects import source_of


@dataclass(frozen=True, slots=True)
class Head:
    """The newest event of a source: its id and place in the chain, 0 and "" before the first.

    *digest* is the SHA-256 of its exact stored bytes; *sequence* is LOG's.
    """

    id: str = ""
    chainseq: int = 0
    digest: str = NEW_CHAIN
    epoch: int = 0
    sequence: int = 0


_FARTHEST = 10**15
"""No chain gets that far: a million events a second for thirty years."""

START = Head()
"""The head of a source that never said anything."""


def head_of(raw: bytes, sequence: int, node: str, service: str) -> Head | None:
    """Read the chain's place from the stored bytes of an event; None where it is none of ours.

    What no reader would take is not ours, nor what claims a place that no chain reaches.
    """
    try:
        event = Envelope.model_validate_json(raw)
    except ValidationError:
        return None
    chainseq = int(event.chainseq)
    if event.source != source_of(node, service) or max(chainseq, event.epoch) > _FARTHEST:
        return None
    return Head(event.id, chainseq, sha256(raw).hexdigest(), event.epoch, sequence)


def link(head: Head, draft: Draft, node: str, service: str, epoch: int) -> tuple[bytes, Head]:
    """Encode *draft* as the event after *head*; return its bytes and the head it makes.

    The new head's sequence is 0 until the log has stored it.
    """
    chainseq = head.chainseq + 1
    raw = encode(draft, Link(node, service, epoch, chainseq, head.digest))
    return raw, Head(draft.id, chainseq, sha256(raw).hexdigest(), epoch)


def require_storable(draft: Draft, node: str, service: str) -> None:
    """Raise ValueError where *draft* could never be stored: it contradicts itself, is too large."""
    encode(draft, Link(node, service, epoch=1, chainseq=10**18, chainprev=NEW_CHAIN))
