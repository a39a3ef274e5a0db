"""Direct reads of LOG and STATE: the newest on a subject, one sequence, many at once.

The answers come from the server's store without a consumer (ADR-31).
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from libra_runtime.session import LONGEST, ApiError, Session, SessionLost, status
from libra_schemas.subjects import LOG

if TYPE_CHECKING:
    from nats.aio.msg import Msg

PAGE = 1_000
"""Messages per batched read; the server's limit is 1,024."""

_NOT_FOUND = 404
_END = 204


@dataclass(frozen=True, slots=True)
class Record:
    """A message as a stream holds it: LOG's subject and sequence also where STATE answered.

    *place* is the sequence in the stream that answered; *time* when that stream stored it.
    """

    subject: str
    raw: bytes
    sequence: int
    time: datetime
    place: int


async def newest(session: Session, stream: str, subject: str) -> Record | None:
    """Read the last message on *subject* (wildcards allowed)."""
    return await _get(session, stream, {"last_by_subj": subject})


async def at(session: Session, sequence: int) -> Record | None:
    """Read one message of LOG."""
    return await _get(session, LOG, {"seq": sequence})


async def last_sequence(session: Session, stream: str = LOG) -> int:
    """Read the sequence of the newest message a stream ever stored."""
    info = await session.api(f"$JS.API.STREAM.INFO.{stream}")
    return int(info["state"]["last_seq"])


async def newest_of(session: Session, subjects: list[str], up_to: int) -> list[Record]:
    """Read the last message on each of *subjects* up to a LOG sequence, newest first."""
    if up_to < 1:
        return []
    found, _ = await _page(session, LOG, {"multi_last": subjects, "up_to_seq": up_to})
    return sorted(found, key=lambda record: -record.sequence)


async def page(
    session: Session, stream: str, subject: str, first: int
) -> tuple[list[Record], bool]:
    """Read up to PAGE messages on *subject* from place *first* on; say whether more follow."""
    return await _page(session, stream, {"seq": first, "next_by_subj": subject, "batch": PAGE})


async def _get(session: Session, stream: str, request: dict[str, Any]) -> Record | None:
    payload = json.dumps(request).encode()
    message = await session.request(f"$JS.API.DIRECT.GET.{stream}", payload, limit=LONGEST)
    _refuse(message)
    return None if status(message) else record(message)


async def _page(
    session: Session, stream: str, request: dict[str, Any]
) -> tuple[list[Record], bool]:
    messages: asyncio.Queue[Msg | None] = asyncio.Queue()
    inbox = session.listen(messages.put_nowait)
    records: list[Record] = []
    try:
        payload = json.dumps(request).encode()
        await session.publish(f"$JS.API.DIRECT.GET.{stream}", payload, reply=inbox)
        while True:
            async with asyncio.timeout(LONGEST):
                message = await messages.get()
            if message is None:
                raise SessionLost("the connection to nats-server is lost")
            _refuse(message)
            if status(message):
                return records, int((message.headers or {}).get("Nats-Num-Pending", 0)) > 0
            records.append(record(message))
    finally:
        session.forget(inbox)


def _refuse(message: "Msg") -> None:
    code = status(message)
    if code not in {0, _END, _NOT_FOUND}:
        description = (message.headers or {}).get("Description", "no stream answers")
        raise ApiError(code, f"the log cannot be read: {code} {description}")


def record(message: "Msg") -> Record:
    """Read a direct answer; where STATE answered, take LOG's subject and sequence from its source.

    `Nats-Stream-Source` is `<stream> <sequence> <filters> <transforms> <subject> [<id>]`.
    """
    headers = message.headers or {}
    place = int(headers["Nats-Sequence"])
    subject, sequence = headers["Nats-Subject"], place
    if "Nats-Stream-Source" in headers:
        source = headers["Nats-Stream-Source"].split(" ")
        subject, sequence = source[4], int(source[1])
    time = timestamp(headers["Nats-Time-Stamp"])
    return Record(subject, message.data, sequence, time, place)


def timestamp(text: str) -> datetime:
    """Read RFC 3339 with up to nine decimals (`2026-11-22T18:30:05.82Z`) as aware UTC."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    micro = int(fraction[:6].ljust(6, "0")) if fraction else 0
    return datetime.fromisoformat(whole).replace(microsecond=micro, tzinfo=UTC)
