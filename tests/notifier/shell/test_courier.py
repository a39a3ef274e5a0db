"""At least once, in order per entity, one sink's trouble never another's."""

import asyncio
import hashlib
import hmac
import json
from typing import Any

from aiohttp import web


def genuine(hook: Any, secret: bytes = b"s3cret") -> bool:
    """Check a webhook as its receiver would."""
    signed = hook.headers["Libra-Timestamp"].encode() + b"." + hook.body
    wanted = "sha256=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, hook.headers["Libra-Signature"])


def told(receiver: Any) -> list[str]:
    """Name what arrived: type and backend."""
    bodies = [json.loads(body) for body in receiver.bodies]
    return [f"{body['type']} {body['data']['backend']}" for body in bodies]


async def test_a_webhook_carries_the_stored_bytes_and_a_valid_signature(
    node: Any, receiver: Any, until: Any
) -> None:
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier():
        event = await node.down()
        await until(node.receipts)
    (hook,) = receiver.hooks
    assert hook.body == event.raw
    assert genuine(hook)
    assert hook.headers["Content-Type"] == "application/cloudevents+json"
    assert hook.key == f"ops-{event.event.id}"


async def test_a_receipt_names_event_key_and_mark(node: Any, receiver: Any, until: Any) -> None:
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier() as journal:
        event = await node.down()
        await until(node.receipts)
        stored = journal.published[-1]
    (receipt,) = node.receipts()
    assert receipt.events == (event.event.id,)
    assert receipt.about == f"{event.subject.type} {event.event.subject}"
    assert receipt.key == f"ops-{event.event.id}"
    assert receipt.delivered
    assert (receipt.attempts, receipt.reader, receipt.detail) == (
        1,
        event.sequence,
        "204 No Content",
    )
    assert stored.event.causationid == event.event.id


async def test_a_receiver_that_was_down_is_told_when_it_is_back(
    node: Any, receiver: Any, until: Any
) -> None:
    answers = [500, 503, 404]

    async def answer(_: Any) -> web.Response:
        return web.Response(status=answers.pop(0) if answers else 200)

    receiver.answer = answer
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier():
        await node.down()
        await until(node.receipts)
    assert [receipt.attempts for receipt in node.receipts()] == [4]
    assert len({hook.key for hook in receiver.hooks}) == 1


async def test_nobody_listening_is_retried(node: Any, receiver: Any, until: Any) -> None:
    sink = node.webhook(receiver)
    node.secret("hook.url", "http://127.0.0.1:9/hook")
    await node.configure(ops=sink)
    async with node.notifier():
        await node.down()
        await until(lambda: not receiver.hooks)
        await asyncio.sleep(0)
        node.secret("hook.url", receiver.url)
        await until(node.receipts)
    assert len(receiver.hooks) == 1


async def test_a_receiver_that_refuses_for_ever_costs_one_event_only(
    node: Any, receiver: Any, until: Any
) -> None:
    async def answer(hook: Any) -> web.Response:
        is_first = json.loads(hook.body)["type"] == "backend.down"
        return web.Response(status=500 if is_first else 200, text="no\ngood")

    receiver.answer = answer
    retry = {"attempts": 3, "first": "5ms", "longest": "5ms"}
    await node.configure(ops=node.webhook(receiver, retry=retry))
    async with node.notifier() as journal:
        failing = await node.down()
        await node.down(up=True)
        await until(node.receipts)
        rejected = list(journal.rejected)
    (failed,) = node.receipts("notify.failed")
    assert (failed.attempts, failed.delivered) == (3, False)
    assert failed.detail == "500 Internal Server Error no good"
    assert failed.events == (failing.event.id,)
    assert [stored.sequence for stored, _ in rejected] == [failing.sequence]
    assert told(receiver) == ["backend.down w1"] * 3 + ["backend.up w1"]


async def test_a_receiver_that_hangs_times_out(node: Any, receiver: Any, until: Any) -> None:
    async def answer(_: Any) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    receiver.answer = answer
    retry = {"attempts": 2, "first": "5ms", "longest": "5ms"}
    await node.configure(ops=node.webhook(receiver, timeout="50ms", retry=retry))
    async with node.notifier():
        await node.down()
        await until(lambda: node.receipts("notify.failed"))
    (failed,) = node.receipts("notify.failed")
    assert failed.detail == "no answer within 0.05 s"


async def test_the_events_of_one_backend_arrive_in_order_while_others_pass(
    node: Any, receiver: Any, until: Any
) -> None:
    held = asyncio.Event()

    async def answer(hook: Any) -> web.Response:
        body = json.loads(hook.body)
        if body["type"] == "backend.down" and body["data"]["backend"] == "w1" and not held.is_set():
            return web.Response(status=500)
        return web.Response()

    receiver.answer = answer
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier():
        await node.down("w1")
        await node.down("w1", up=True)
        await node.down("w2")
        await until(lambda: len(node.receipts()) == 1)
        assert "backend.up w1" not in told(receiver)
        assert node.receipts()[0].reader < node.health.published[-3].sequence
        held.set()
        await until(lambda: len(node.receipts()) == 3)
    assert [name for name in told(receiver) if name != "backend.down w1"] == [
        "backend.down w2",
        "backend.up w1",
    ]
    assert node.receipts()[-1].reader >= node.health.published[-1].sequence


async def test_one_sinks_trouble_delays_no_other(node: Any, receiver: Any, until: Any) -> None:
    dead = node.webhook(receiver, timeout="30s")
    dead["webhook"] = {
        "url_file": node.secret("dead.url", receiver.url + "/dead"),
        "timeout": "30s",
    }

    async def answer(hook: Any) -> web.Response:
        if hook.key.startswith("dead"):
            await asyncio.sleep(60)
        return web.Response()

    receiver.answer = answer
    await node.configure(dead=dead, ops=node.webhook(receiver))
    async with node.notifier(window=2, at_once=1):
        for number in range(10):
            await node.down(f"w{number}")
        await until(lambda: len(node.receipts()) == 10)
    assert {receipt.sink for receipt in node.receipts()} == {"ops"}


async def test_killed_between_delivery_and_receipt_it_is_told_again_with_the_same_key(
    node: Any, receiver: Any, until: Any
) -> None:
    release = asyncio.Event()

    async def answer(_: Any) -> web.Response:
        await release.wait()
        return web.Response()

    receiver.answer = answer
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier():
        event = await node.down()
        await until(lambda: receiver.hooks)
    assert node.receipts() == []
    release.set()
    async with node.notifier():
        await until(node.receipts)
    assert [hook.key for hook in receiver.hooks] == [f"ops-{event.event.id}"] * 2
    assert receiver.hooks[0].body == receiver.hooks[1].body


async def test_a_restart_repeats_nothing_that_has_a_receipt(
    node: Any, receiver: Any, until: Any
) -> None:
    """w2 and w3 are done above the mark, w1 is not: only w1 is told again."""
    held = True

    async def answer(hook: Any) -> web.Response:
        is_w1 = json.loads(hook.body)["data"]["backend"] == "w1"
        return web.Response(status=500 if is_w1 and held else 200)

    receiver.answer = answer
    retry = {"attempts": 1000, "first": "1h", "longest": "1h"}
    await node.configure(ops=node.webhook(receiver, retry=retry))
    async with node.notifier():
        for backend in ("w1", "w2", "w3"):
            await node.down(backend)
        await until(lambda: len(node.receipts()) == 2)
    held = False
    await node.down("w4")
    async with node.notifier():
        await until(lambda: len(node.receipts()) == 4)
    names = told(receiver)
    assert sorted(names[:3]) == ["backend.down w1", "backend.down w2", "backend.down w3"]
    assert sorted(names[3:]) == ["backend.down w1", "backend.down w4"]
    assert node.receipts()[-1].reader >= node.health.published[-1].sequence


async def test_what_happened_while_it_was_away_is_told_when_it_is_back(
    node: Any, receiver: Any, until: Any
) -> None:
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier():
        pass
    await node.down("w1")
    async with node.notifier():
        await until(node.receipts)
    async with node.notifier():
        await node.down("w2")
        await until(lambda: len(node.receipts()) == 2)
    assert told(receiver) == ["backend.down w1", "backend.down w2"]


async def test_a_full_window_stops_reading_and_loses_nothing(
    node: Any, receiver: Any, until: Any
) -> None:
    await node.configure(ops=node.webhook(receiver))
    async with node.notifier(window=2, at_once=2):
        for number in range(20):
            await node.down(f"w{number}")
        await until(lambda: len(node.receipts()) == 20)
    assert sorted(told(receiver)) == sorted(f"backend.down w{n}" for n in range(20))


async def test_receipts_are_not_told_even_to_a_sink_of_everything(
    node: Any, receiver: Any, until: Any
) -> None:
    await node.configure(ops=node.webhook(receiver, match="*.*"))
    async with node.notifier():
        await node.down("w1")
        await node.down("w2")
        await until(lambda: len(node.receipts()) >= 2)
    kinds = {json.loads(body)["type"] for body in receiver.bodies}
    assert not any(kind.startswith("notify.") for kind in kinds)


async def test_a_missing_secret_is_retried_and_named_without_its_content(
    node: Any, receiver: Any, until: Any
) -> None:
    good, bad = node.webhook(receiver), node.webhook(receiver)
    missing = node.folder / "later.key"
    bad["webhook"] = {**bad["webhook"], "secret_file": str(missing)}
    bad["retry"] = {"attempts": 1000, "first": "10ms", "longest": "10ms"}
    await node.configure(bad=bad, good=good)
    async with node.notifier():
        await node.down()
        await until(node.receipts)
        assert [receipt.sink for receipt in node.receipts()] == ["good"]
        missing.write_text("s3cret\n")
        await until(lambda: len(node.receipts()) == 2)
    assert genuine(receiver.hooks[-1])
    assert node.receipts()[-1].attempts > 1
