"""Which sinks there are, from when on, and what a restart finds."""

import asyncio
import json
from typing import Any

from aiohttp import web


def told(receiver: Any) -> list[str]:
    return [json.loads(body)["data"]["backend"] for body in receiver.bodies]


async def test_the_first_start_ever_replays_no_history(
    node: Any, receiver: Any, until: Any
) -> None:
    await node.configure(ops=node.webhook(receiver))
    await node.down("old")
    async with node.notifier():
        await node.down("new")
        await until(node.receipts)
    assert told(receiver) == ["new"]


async def test_a_sink_begins_where_its_config_stands(node: Any, receiver: Any, until: Any) -> None:
    await node.configure()
    async with node.notifier():
        await node.down("before")
        await node.configure(ops=node.webhook(receiver))
        await node.down("after")
        await until(node.receipts)
    assert told(receiver) == ["after"]


async def test_a_sink_configured_while_nobody_ran_begins_there_too(
    node: Any, receiver: Any, until: Any
) -> None:
    await node.configure()
    async with node.notifier():
        pass
    await node.down("before")
    await node.configure(ops=node.webhook(receiver))
    await node.down("after")
    await node.configure(ops=node.webhook(receiver), more=node.webhook(receiver, "vrrp.*"))
    async with node.notifier():
        await until(node.receipts)
    assert told(receiver) == ["after"]


async def test_a_removed_sink_is_told_no_more(node: Any, receiver: Any, until: Any) -> None:
    await node.configure(ops=node.webhook(receiver), rest=node.webhook(receiver))
    async with node.notifier():
        await node.down("w1")
        await until(lambda: len(node.receipts()) == 2)
        await node.configure(rest=node.webhook(receiver))
        await node.down("w2")
        await until(lambda: len(node.receipts()) == 3)
    assert [receipt.sink for receipt in node.receipts()][2:] == ["rest"]


async def test_a_changed_route_holds_from_its_config_on(
    node: Any, receiver: Any, until: Any
) -> None:
    await node.configure(ops=node.webhook(receiver, "backend.down"))
    async with node.notifier():
        pass
    await node.down("w1")
    await node.down("w2", up=True)
    await node.configure(ops=node.webhook(receiver, "backend.up"))
    await node.down("w3")
    await node.down("w4", up=True)
    async with node.notifier():
        await until(lambda: len(node.receipts()) == 2)
        await node.configure(ops=node.webhook(receiver, "*.*", services=["web"]))
        await node.down("w5")
        await until(lambda: len(node.receipts()) == 3)
    assert sorted(told(receiver)) == ["w1", "w4", "w5"]


async def test_a_corrected_address_is_tried_at_once(node: Any, receiver: Any, until: Any) -> None:
    wrong = node.webhook(receiver, retry={"first": "1h", "longest": "1h"})
    wrong["webhook"] = {"url_file": node.secret("wrong.url", "http://127.0.0.1:9/")}
    await node.configure(ops=wrong)
    async with node.notifier():
        await node.down("w1")
        await until(lambda: node.log.last >= 4)
        await node.configure(ops=node.webhook(receiver))
        await until(node.receipts)
    assert told(receiver) == ["w1"]


async def test_a_config_that_cannot_be_read_changes_nothing(
    node: Any, receiver: Any, until: Any
) -> None:
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier() as journal:
        await node.configure(ops={"webhook": {"url": "http://x"}, "match": ["*.*"]})
        await until(lambda: journal.rejected)
        await node.down("w1")
        await until(node.receipts)
        assert [str(stored.subject) for stored, _ in journal.rejected] == [
            "lvs.a.config.applied.cluster"
        ]
    async with node.notifier():
        await node.down("w2")
        await until(lambda: len(node.receipts()) == 2)
    assert told(receiver) == ["w1", "w2"]


async def test_a_lost_log_leaves_the_kept_config(node: Any, receiver: Any, until: Any) -> None:
    async with node.notifier():
        await node.configure(ops=node.webhook(receiver))
        await until((node.folder / "kept").exists)
    fresh = type(node)(node.folder)
    async with fresh.notifier():
        await fresh.down("w1")
        await until(fresh.receipts)
    assert told(receiver) == ["w1"]


async def test_an_outage_of_the_log_loses_no_receipt(node: Any, receiver: Any, until: Any) -> None:
    release = asyncio.Event()

    async def answer(_: Any) -> web.Response:
        await release.wait()
        return web.Response()

    receiver.answer = answer
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier() as journal:
        await node.down("w1")
        await until(lambda: receiver.hooks)
        node.log.reachable = False
        release.set()
        await until(lambda: bool(journal._outbox))
        node.log.heal()
        await until(node.receipts)
    assert len(receiver.hooks) == 1


async def test_an_aged_out_log_still_gives_config_and_mark(
    node: Any, receiver: Any, until: Any
) -> None:
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier():
        await node.down("w1")
        await until(node.receipts)
    node.log.limit = 3
    for _ in range(5):
        await node.down("w2")
    async with node.notifier():
        await until(lambda: told(receiver).count("w2") >= 2)
        await node.down("w3")
        await until(lambda: "w3" in told(receiver))
    assert told(receiver).count("w1") == 1


async def test_a_sink_whose_secret_is_missing_is_trouble_until_the_file_is_there(
    node: Any, receiver: Any
) -> None:
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier():
        key = node.folder / "hook.key"
        key.unlink()
        assert node.desk.trouble == f"sink ops: secret_file {key}: No such file or directory"
        node.secret("hook.key", "s3cret")
        assert node.desk.trouble is None
