"""A tail that hears nothing is a trouble for as long as it runs, no longer."""

import asyncio
from contextlib import suppress
from pathlib import Path

from libra_runtime.faults import NatsWorld
from libra_runtime.settings import Edge
from libra_runtime.tail import tail
from libra_runtime.wire import Wire


async def test_what_a_tail_was_refused_is_no_trouble_after_its_end(nats: NatsWorld) -> None:
    await (await nats.admin()).api("$JS.API.STREAM.DELETE.LOG")
    wire = Wire(nats.server.edge("notifier"))
    supervision = asyncio.create_task(wire.supervise())

    async def hear() -> None:
        async for _ in tail(wire, ["lvs.a.>"], 1):
            pass

    hearing = asyncio.create_task(hear())
    async with asyncio.timeout(60):
        while wire.deaf is None:  # noqa: ASYNC110 - health is asked, it raises no event
            await asyncio.sleep(0.01)
    assert wire.deaf == "the log cannot be read: stream not found; run `libra init`"
    hearing.cancel()
    await asyncio.wait([hearing])
    assert wire.deaf is None
    supervision.cancel()
    with suppress(asyncio.CancelledError):
        await supervision


def test_a_tail_that_hears_does_not_hide_one_that_does_not(tmp_path: Path) -> None:
    wire = Wire(Edge("a", "notifier", "nats://127.0.0.1:4222", tmp_path, tmp_path))
    with wire.listening() as one, wire.listening() as other:
        one("refused")
        other(None)
        assert wire.deaf == "refused"
    assert wire.deaf is None
