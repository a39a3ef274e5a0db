"""Reading a node's log without leaving a trace in it: direct reads, as the admin user."""

import asyncio
import json
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta

from libra_cli.exits import REFUSED, UNREACHABLE, CommandError
from libra_cli.site import Site
from libra_runtime.journal import NotOurs, Unreached
from libra_runtime.session import ApiError, Session, open_session, status
from libra_runtime.settings import Edge
from libra_runtime.stored import Record, page, record
from libra_schemas.config.fields import parse_duration
from libra_schemas.errors import LibraError
from libra_schemas.nats import ADMIN
from libra_schemas.subjects import LOG

_SILENCE = 1.0
"""Seconds after which a follower looks for itself, should a wake-up have been lost."""

_HINT = "; is the node up? (`libra up`, `docker compose up -d`, or --nats)"


@asynccontextmanager
async def connect(site: Site) -> AsyncIterator[Session]:
    """Connect as admin; raise CommandError with what to do."""
    seed = site.seed(ADMIN)
    if not os.access(seed, os.R_OK):
        why = "run as root" if seed.exists() else "`libra up` or `libra init` makes it"
        raise CommandError(f"{seed} cannot be read: {why}", UNREACHABLE)
    edge = Edge(site.node, ADMIN, site.nats, site.state, site.run, seed)
    try:
        session = await open_session(edge, lambda _: None)
    except NotOurs as error:
        raise CommandError(str(error), UNREACHABLE) from None
    except LibraError as error:
        hint = _HINT if isinstance(error, Unreached) else ""
        raise CommandError(f"the log cannot be read: {error}{hint}", UNREACHABLE) from None
    try:
        yield session
    except ApiError as error:
        raise CommandError(f"the log cannot be read: {error}", UNREACHABLE) from None
    finally:
        await session.close()


async def read(
    session: Session, subject: str, first: int, until: "Moment | None" = None, *, stream: str = LOG
) -> AsyncGenerator[Record, None]:
    """Yield *subject* of *stream* from place *first* on, to *until* inclusive (None: its end)."""
    more = True
    while more:
        records, more = await page(session, stream, subject, first)
        for each in records:
            if until is not None and until.is_before(each):
                return
            yield each
            first = each.place + 1


async def follow(session: Session, subject: str, first: int) -> AsyncGenerator[Record, None]:
    """Yield LOG on *subject* from *first* on, for ever, each event once; end with the connection.

    A plain subscription only wakes us: what is shown comes from the log.
    """
    news = asyncio.Event()

    async def wake(_: object) -> None:
        news.set()

    await session.client.subscribe(subject, cb=wake)
    while not session.lost.is_set():
        news.clear()
        async for each in read(session, subject, first):
            yield each
            first = each.sequence + 1
        try:
            async with asyncio.timeout(_SILENCE):
                await news.wait()
        except TimeoutError:
            continue


class Moment:
    """A point of the log: a sequence, or when the log stored it."""

    def __init__(self, sequence: int | None, time: datetime | None) -> None:
        self.sequence = sequence
        self.time = time

    def is_before(self, each: Record) -> bool:
        """Tell whether *each* came after this moment."""
        if self.sequence is not None:
            return each.sequence > self.sequence
        return self.time is not None and each.time > self.time

    def require_reached(self, newest: int, now: datetime) -> None:
        """Raise CommandError where the log, whose last sequence is *newest*, is not there yet."""
        if self.sequence is not None and self.sequence > newest:
            raise CommandError(
                f"the log holds no sequence {self.sequence}: its last is {newest}", REFUSED
            )
        if self.time is not None and self.time > now:
            raise CommandError(
                f"{self.time.isoformat(timespec='seconds')} is yet to come: the log's last "
                f"sequence is {newest}",
                REFUSED,
            )

    @classmethod
    def parse(cls, text: str, now: datetime) -> "Moment":
        """Parse a sequence, `10m` (ago), ISO 8601 or a time of day (local without an offset)."""
        if text.isdecimal():
            return cls(int(text), None)
        try:
            if re.fullmatch(r"[0-9.]+(ms|s|m|h|d)", text):
                return cls(None, now - timedelta(seconds=parse_duration(text)))
            if re.fullmatch(r"[0-9]{2}:[0-9]{2}.*", text):
                return cls(None, _latest(time.fromisoformat(text), now))
            return cls(None, datetime.fromisoformat(text).astimezone(UTC))
        except (ValueError, OverflowError):
            raise CommandError(
                f"{text!r} is no moment: write a sequence such as 1234, a time such as 03:12 or "
                "2026-01-31T03:12:00, or how long ago such as 10m",
                REFUSED,
            ) from None


def _latest(clock: time, now: datetime) -> datetime:
    """Give the last moment before *now* (aware) at which a clock said *clock*; UTC."""
    today = now.astimezone(clock.tzinfo).date()
    moment = datetime.combine(today, clock).astimezone(UTC)
    if moment <= now:
        return moment
    return datetime.combine(today - timedelta(days=1), clock).astimezone(UTC)


async def first_from(session: Session, moment: Moment) -> int:
    """Find the sequence of the first event at or after *moment*."""
    if moment.sequence is not None:
        return max(moment.sequence, 1)
    time = (moment.time or datetime.now(UTC)).isoformat().replace("+00:00", "Z")
    request = json.dumps({"start_time": time, "next_by_subj": ">", "batch": 1}).encode()
    found = await session.request(f"$JS.API.DIRECT.GET.{LOG}", request)
    if status(found):
        from libra_runtime.stored import last_sequence  # noqa: PLC0415 - the rare end of the log

        return await last_sequence(session) + 1
    return record(found).sequence
