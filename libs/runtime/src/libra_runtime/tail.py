"""LOG from a sequence on, for ever, over as many consumers as that takes.

Rule: whatever looks wrong (silence, a gap, a lost connection, a vanished consumer) is answered in
one way: a new consumer after the last event that was yielded. So nothing is lost or repeated.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from libra_runtime.journal import LogRenewed
from libra_runtime.session import LONGEST, ApiError, Session, SessionLost, status
from libra_runtime.stored import Record
from libra_runtime.wire import Wire
from libra_schemas.subjects import LOG

if TYPE_CHECKING:
    from nats.aio.msg import Msg

BATCH = 512
"""Messages asked for at once: what may wait in memory unread."""

SILENCE = 3.0
"""Seconds without event or heartbeat (one a second) after which the consumer is rebuilt.

A message that takes longer on its way is silence too: without any progress it is waited for twice
as long the next time, up to LONGEST.
"""

_SECOND = 1_000_000_000
_EXPIRES = 30 * _SECOND
_RETRY = 0.2
_EPOCH = datetime.fromtimestamp(0, UTC)
_HEARTBEAT = 100
_ENDED = frozenset({404, 408})
"""Statuses that end a pull request in order; what follows is asked for again."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A consumer was made: *pending* events wait for it."""

    pending: int


@dataclass(frozen=True, slots=True)
class Log:
    """Which log it is, by when it was made, and how far it went."""

    made: str
    last: int


class Interrupted(Exception):
    """This consumer is of no use any more."""


async def tail(
    wire: Wire, filters: list[str], first: int
) -> AsyncGenerator[tuple[Record, int] | Opened, None]:
    """Yield `Opened` for every consumer made, and events with how many wait behind each.

    Raise what the wire failed of, LogRenewed where the log is another than before.
    """
    following = first
    silence = SILENCE
    log: Log | None = None
    with wire.listening() as say:
        while True:
            session = await wire.session()
            begun = following
            try:
                now = await _look(session)
                _require_same(log, now)
                log = now
                name, pending = await _open(session, wire.edge.service, filters, following)
                say(None)
                yield Opened(pending)
                async with aclosing(_pull(session, name, silence)) as pulled:
                    async for record, waiting in pulled:
                        following, silence = record.sequence + 1, SILENCE
                        log = Log(now.made, max(now.last, record.sequence))
                        yield record, waiting
            except (Interrupted, SessionLost, TimeoutError, ApiError) as trouble:
                say(_deaf(trouble))
                if following == begun:
                    silence = min(2 * silence, LONGEST)
                    await asyncio.sleep(_RETRY)


def _deaf(trouble: Exception) -> str | None:
    """Say why no consumer can be made; None for what a new one mends."""
    match trouble:
        case ApiError():
            return f"the log cannot be read: {trouble}"
        case TimeoutError():
            return "the log cannot be read: nats-server does not answer"
    return None


async def _look(session: Session) -> Log:
    info = await session.api(f"$JS.API.STREAM.INFO.{LOG}")
    return Log(str(info["created"]), int(info["state"]["last_seq"]))


def _require_same(before: Log | None, now: Log) -> None:
    if before is not None and before.made != now.made:
        raise LogRenewed("the log was made anew; this process ends, to begin again with it")
    if before is not None and before.last > now.last:
        raise LogRenewed("the log lost its newest events; this process ends, to read it again")


async def _open(session: Session, service: str, filters: list[str], first: int) -> tuple[str, int]:
    name = f"{service}-{os.urandom(6).hex()}"
    config = {
        "name": name,
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": first,
        "ack_policy": "none",
        "max_deliver": 1,
        "replay_policy": "instant",
        "filter_subjects": filters,
        "inactive_threshold": 30 * _SECOND,
        "mem_storage": True,
        "num_replicas": 1,
    }
    request = {"stream_name": LOG, "config": config, "action": "create"}
    answer = await session.api(f"$JS.API.CONSUMER.CREATE.{LOG}.{name}", request)
    return name, int(answer["num_pending"])


async def _pull(
    session: Session, name: str, silence: float
) -> AsyncGenerator[tuple[Record, int], None]:
    arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
    inbox = await session.subscribe(arrived.put_nowait)
    due = consumed = 0
    try:
        while True:
            if due == 0:
                await _ask(session, name, inbox.subject)
                due = BATCH
            message = await _next(arrived, silence)
            code = status(message) if message.subject == inbox.subject else 0
            if code == _HEARTBEAT:
                continue
            if code in _ENDED:
                due = 0
                continue
            record, place, waiting = _delivered(message, code)
            if place != consumed + 1:
                raise Interrupted(f"event {place} of the consumer after {consumed}")
            consumed = place
            due -= 1
            yield record, waiting
    finally:
        await session.unsubscribe(inbox)


async def _ask(session: Session, name: str, inbox: str) -> None:
    request = b'{"batch":%d,"expires":%d,"idle_heartbeat":%d}' % (BATCH, _EXPIRES, _SECOND)
    await session.publish(f"$JS.API.CONSUMER.MSG.NEXT.{LOG}.{name}", request, reply=inbox)


async def _next(arrived: "asyncio.Queue[Msg | None]", silence: float) -> "Msg":
    if arrived.empty():
        try:
            async with asyncio.timeout(silence):
                message = await arrived.get()
        except TimeoutError:
            raise Interrupted("silence") from None
    else:
        message = arrived.get_nowait()
    if message is None:
        raise Interrupted("the connection to nats-server is lost")
    return message


def _delivered(message: "Msg", code: int) -> tuple[Record, int, int]:
    """Read a delivery: the record, its place in the consumer, how many wait behind it.

    The reply is `$JS.ACK.<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.<ns>.<pending>`
    or, from newer servers, with domain and account before the stream and a token at its end.
    """
    if code:
        raise Interrupted(f"status {code}")
    tokens = message.reply.split(".")
    start = 5 if len(tokens) == 9 else 7  # noqa: PLR2004 - the two forms above
    sequence, place, nanoseconds, waiting = (int(token) for token in tokens[start : start + 4])
    time = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    return Record(message.subject, message.data, sequence, time, sequence), place, waiting


def filters(node: str, types: tuple[str, ...]) -> list[str]:
    """Turn event types (`backend.down`) and first tokens (`backend`) into LOG subjects."""
    if not types:
        return [f"lvs.{node}.>"]
    words = {each for each in types if "." not in each}
    whole = [each for each in types if "." not in each or each.split(".")[0] not in words]
    return [f"lvs.{node}.{each}.>" for each in dict.fromkeys(whole)]
