"""The envelope of every event: CloudEvents 1.0, structured JSON, plus LibrA's extensions.

Rule: an event is decoded once, from its exact stored bytes; what it means is decided by its type
and schema version alone. Unknown types are values, not errors.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError

from libra_schemas.agreement import contradiction
from libra_schemas.catalogue import CATALOGUE, may_publish
from libra_schemas.errors import MalformedEvent, MalformedSubject
from libra_schemas.events import MODELS, EventData
from libra_schemas.model import Digest, Fact
from libra_schemas.subjects import Subject, parse

MAX_EVENT = 64 * 1024
"""Bytes; config.applied and table.recorded may be larger."""

UNBOUNDED = frozenset({"config.applied", "table.recorded"})

NEW_CHAIN = "0" * 64
"""`chainprev` of the first event of a chain."""

ChainSequence = Annotated[str, StringConstraints(pattern="^[1-9][0-9]{0,18}$")]


class Envelope(Fact):
    """The attributes of an event without its data (CloudEvents 1.0 §3 and extensions).

    `time` is when it was decided. `epoch` counts the starts of its source; `chainseq` and
    `chainprev` (SHA-256 of the exact stored bytes of the source's previous event) chain it.
    """

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    source: Annotated[str, StringConstraints(pattern="^/lvs/[^/]+/[^/]+$")]
    type: str
    subject: str
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    traceparent: str | None = None
    causationid: str | None = None
    configrev: str | None = None
    epoch: Annotated[int, Field(ge=1)]
    chainseq: ChainSequence
    chainprev: Digest


class Event(Envelope):
    """An event whose type and schema version we know."""

    data: EventData


class Unrecognised(Envelope):
    """An event of a type or schema version that this release does not know."""

    data: Any = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An event not yet sent: the journal adds epoch and chain at the moment it sends.

    *key* is the subject key; *time* is when it was decided (aware); *id* a UUIDv7 given by the
    shell, so that what follows can name it as its cause before it is stored.
    """

    type: str
    key: tuple[str, ...]
    data: EventData
    id: str
    time: datetime
    causationid: str | None = None
    configrev: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What the journal adds to a draft when it sends it."""

    node: str
    service: str
    epoch: int
    chainseq: int
    chainprev: str


@cache
def schema_name(event_type: str) -> str:
    """Name the data schema of *event_type* as it stands in `dataschema`."""
    return f"urn:libra:schema:{event_type}:{MODELS[event_type].VERSION}"


def encode(draft: Draft, link: Link) -> bytes:
    """Encode the exact bytes to store.

    Raise ValueError where the event is too large or contradicts itself: no reader would take it.
    """
    reason = _misplaced(draft.type, draft.key, link.service)
    if reason := reason or contradiction(draft.type, draft.key, draft.data):
        raise ValueError(reason)
    event = event_model(draft.type)(
        id=draft.id,
        source=f"/lvs/{link.node}/{link.service}",
        type=draft.type,
        subject="/".join(draft.key),
        time=draft.time,
        dataschema=schema_name(draft.type),
        traceparent=draft.traceparent,
        causationid=draft.causationid,
        configrev=draft.configrev,
        epoch=link.epoch,
        chainseq=str(link.chainseq),
        chainprev=link.chainprev,
        data=draft.data,
    )
    raw = event.model_dump_json(exclude_none=True).encode()
    if len(raw) > MAX_EVENT and draft.type not in UNBOUNDED:
        raise ValueError(f"{draft.type} of {len(raw)} bytes; an event holds at most {MAX_EVENT}")
    return raw


def decode(subject: str, raw: bytes) -> tuple[Subject, Event | Unrecognised]:
    """Decode the event stored on *subject*; raise MalformedEvent where it is none of ours."""
    try:
        where = parse(subject)
    except MalformedSubject as error:
        raise MalformedEvent(str(error)) from None
    if len(raw) > MAX_EVENT and where.type not in UNBOUNDED:
        raise MalformedEvent(f"{len(raw)} bytes; an event holds at most {MAX_EVENT}")
    event = _decode_known(where, raw) if where.type in MODELS else _decode_unknown(raw)
    _require_place(where, event)
    reason = contradiction(where.type, where.key, event.data) if isinstance(event, Event) else ""
    if reason:
        raise MalformedEvent(reason)
    return where, event


def _decode_known(where: Subject, raw: bytes) -> Event | Unrecognised:
    try:
        event = event_model(where.type).model_validate_json(raw)
    except ValidationError as error:
        return _newer_version(where, raw, error)
    if event.dataschema != schema_name(where.type):
        return _decode_unknown(raw)
    return event


def _newer_version(where: Subject, raw: bytes, error: ValidationError) -> Unrecognised:
    """Meet data of a newer schema as a value; anything else is malformed."""
    try:
        unknown = _decode_unknown(raw)
    except MalformedEvent:
        raise MalformedEvent(_first(error)) from None
    if unknown.dataschema == schema_name(where.type):
        raise MalformedEvent(_first(error)) from None
    return unknown


def _decode_unknown(raw: bytes) -> Unrecognised:
    try:
        return Unrecognised.model_validate_json(raw)
    except ValidationError as error:
        raise MalformedEvent(_first(error)) from None


def _require_place(where: Subject, event: Envelope) -> None:
    """Refuse an event whose envelope contradicts the subject it was stored on."""
    if event.type != where.type:
        raise MalformedEvent(f"type {event.type!r} on the subject of {where.type!r}")
    if event.subject != "/".join(where.key):
        raise MalformedEvent(f"subject {event.subject!r} on the key {'/'.join(where.key)!r}")
    _, _, node, service = event.source.split("/")
    if node != where.node:
        raise MalformedEvent(f"source {event.source!r} on the subject of node {where.node!r}")
    if reason := _misplaced(where.type, where.key, service):
        raise MalformedEvent(reason)


@lru_cache(maxsize=65536)
def _misplaced(event_type: str, key: tuple[str, ...], service: str) -> str:
    """Say why *service* does not publish *event_type* on *key*; "" where it does."""
    if event_type not in CATALOGUE:
        return ""
    if not CATALOGUE[event_type].takes(key):
        return f"key {'.'.join(key)!r} is not {CATALOGUE[event_type].shown} of {event_type}"
    if not may_publish(service, event_type, key):
        return f"{event_type} from {service!r}, who does not publish it"
    return ""


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]


@cache
def event_model(event_type: str) -> type[Event]:
    """Make the model of one event type: the envelope with exactly its data (KeyError: unknown)."""
    name = "".join(part.capitalize() for part in event_type.split(".")) + "Event"
    return type(name, (Event,), {"__annotations__": {"data": MODELS[event_type]}})
