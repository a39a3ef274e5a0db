"""A link that carries little: what is large takes its time, and arrives."""

import asyncio
from contextlib import aclosing

from libra_runtime import stamp
from libra_runtime.faults import NatsWorld
from libra_runtime.journal import Stored
from libra_runtime.nats_journal import NatsJournal
from libra_runtime.session import TIMEOUT
from libra_runtime.tail import SILENCE
from libra_schemas.events import ConfigApplied

PATIENCE = 240
PACE = 5 << 18
SIZE = 7 << 20
LARGE = {"note": "x" * SIZE}


async def test_a_large_event_is_stored_and_followed_over_a_slow_link(nats: NatsWorld) -> None:
    assert max(TIMEOUT, SILENCE) < SIZE / PACE
    journal = await nats.open("console")
    assert isinstance(journal, NatsJournal)
    nats.proxy.pace = PACE
    data = ConfigApplied(number=1, hash="0" * 64, document=LARGE, author="test")
    async with asyncio.timeout(PATIENCE):
        sequence = await journal.append(stamp.draft("config.applied", ("cluster",), data))
        async with aclosing(journal.follow("config.applied", sequence=1)) as events:
            followed = await anext(event async for event in events if isinstance(event, Stored))
        read = [stored async for stored in journal.read("config.applied")]
    assert [each.sequence for each in (followed, *read)] == [sequence, sequence]
    assert journal.publisher is not None
    assert journal.publisher.sent_again == 0
