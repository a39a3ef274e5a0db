"""What every journal promises, asked of the double and of a real nats-server alike."""

import asyncio
from hashlib import sha256

import pytest

from libra_runtime import stamp
from libra_runtime.faults import World
from libra_runtime.journal import CaughtUp, Fenced, Journal, Stored
from libra_schemas.envelope import NEW_CHAIN, Draft, Link, Unrecognised, encode
from libra_schemas.events import BackendState, ConfigRejected

PATIENCE = 60.0


def verdict(backend: str = "w1", *, up: bool = False) -> Draft:
    data = BackendState(
        service="web",
        backend=backend,
        address="10.0.0.1",
        port=80,
        protocol="tcp",
        target="a" * 64,
        up=up,
    )
    return stamp.draft("backend.up" if up else "backend.down", ("web", backend), data)


def rejection(number: int) -> Draft:
    data = ConfigRejected(number=number, hash="b" * 64, author="test", problems=())
    return stamp.draft("config.rejected", ("cluster",), data)


async def everything(journal: Journal, *types: str) -> list[Stored]:
    return [stored async for stored in journal.read(*types)]


async def recovered(journal: Journal, *types: str) -> list[Stored]:
    found: list[Stored] = []
    async with asyncio.timeout(PATIENCE):
        async for event in journal.follow(*types):
            if isinstance(event, CaughtUp):
                return found
            found.append(event)
    raise AssertionError("follow ended")


def require_chain(events: list[Stored], service: str = "health") -> None:
    """Check that the events of *service* are one unbroken chain from its start."""
    place, digest = 0, NEW_CHAIN
    for stored in events:
        if stored.event.source == f"/lvs/a/{service}":
            place += 1
            assert stored.event.chainseq == str(place)
            assert stored.event.chainprev == digest
            digest = sha256(stored.raw).hexdigest()


def keys(events: list[Stored]) -> list[tuple[str, ...]]:
    return [stored.subject.key for stored in events]


async def test_what_was_appended_is_read_in_order_as_one_chain(world: World) -> None:
    journal = await world.open()
    first = await journal.append(verdict("w1"))
    second = await journal.append(verdict("w2", up=True))
    assert second == first + 1
    events = await everything(journal)
    assert [stored.subject.type for stored in events] == [
        "node.started",
        "backend.down",
        "backend.up",
    ]
    assert [stored.sequence for stored in events] == [1, first, second]
    require_chain(events)


async def test_a_burst_is_stored_in_order_as_one_chain(world: World) -> None:
    journal = await world.open()
    for number in range(2500):
        journal.publish(verdict(f"w{number}"))
    await journal.flush()
    events = await everything(journal, "backend")
    assert keys(events) == [("web", f"w{number}") for number in range(2500)]
    require_chain(await everything(journal))


async def test_recovery_yields_the_newest_event_of_every_register_once(world: World) -> None:
    journal = await world.open()
    for name, up in (("w1", False), ("w2", True), ("w1", True), ("w3", False), ("w2", False)):
        await journal.append(verdict(name, up=up))
    state = {stored.subject.register: stored for stored in await everything(journal)}
    seen: dict[tuple[str, ...], Stored] = {}
    sequences = []
    for stored in await recovered(journal):
        seen[stored.subject.register] = stored
        sequences.append(stored.sequence)
    assert {register: stored.raw for register, stored in seen.items()} == {
        register: stored.raw for register, stored in state.items()
    }
    assert sequences == sorted(set(sequences))


async def test_follow_says_caught_up_once_and_then_what_is_stored(world: World) -> None:
    journal = await world.open()
    await journal.append(verdict("w1"))
    names: list[str] = []
    async with asyncio.timeout(PATIENCE):
        async for event in journal.follow("backend"):
            if isinstance(event, CaughtUp):
                names.append(f"caught up at {event.sequence}")
                journal.publish(verdict("w2"))
                journal.publish(verdict("w3"))
            else:
                names.append(event.subject.key[1])
            if names[-1] == "w3":
                break
    assert names == ["w1", "caught up at 2", "w2", "w3"]


async def test_an_empty_log_is_caught_up_at_once(world: World) -> None:
    journal = await world.open()
    assert await recovered(journal, "vrrp") == []


async def test_follow_yields_only_the_types_asked_for(world: World) -> None:
    health, console = await world.open("health"), await world.open("console")
    await health.append(verdict("w1"))
    await console.append(rejection(1))
    await health.append(verdict("w2", up=True))
    assert [stored.subject.type for stored in await recovered(health, "config")] == [
        "config.rejected"
    ]
    assert [stored.subject.type for stored in await recovered(health, "backend.up")] == [
        "backend.up"
    ]


async def test_follow_from_a_sequence_yields_the_plain_log(world: World) -> None:
    journal = await world.open()
    await journal.append(verdict("w1"))
    second = await journal.append(verdict("w1", up=True))
    third = await journal.append(verdict("w1"))
    found = []
    async with asyncio.timeout(PATIENCE):
        async for event in journal.follow(sequence=second):
            found.append(event.sequence)
            if isinstance(event, CaughtUp):
                break
    assert found == [second, third, third]


async def test_read_ends_at_the_last_sequence_asked_for(world: World) -> None:
    journal = await world.open()
    sequences = [await journal.append(verdict(f"w{number}")) for number in range(5)]
    found = [stored async for stored in journal.read(first=sequences[1], last=sequences[3])]
    assert [stored.sequence for stored in found] == sequences[1:4]
    assert [stored async for stored in journal.read(first=sequences[-1] + 1)] == []
    assert [stored async for stored in journal.read("vrrp")] == []


async def test_a_malformed_event_is_buried_and_its_predecessor_recovered(world: World) -> None:
    journal = await world.open()
    await journal.append(verdict("w1", up=True))
    good = await journal.append(verdict("w1"))
    await world.put("lvs.a.backend.up.web.w1", b"{}")
    await world.put("lvs.a.backend.weight.web.w1", b"\xff\x00 no event")
    await world.put("lvs.a.backend.up.web.w9", b'{"type": "nonsense"}')
    await world.settled()
    found = await recovered(journal, "backend")
    assert [stored.sequence for stored in found] == [good]
    bodies = {body for body, _ in await world.dead(3)}
    assert bodies == {b"{}", b"\xff\x00 no event", b'{"type": "nonsense"}'}


async def test_an_event_that_a_fold_rejects_is_buried_and_the_one_before_it_found(
    world: World,
) -> None:
    journal = await world.open()
    first = await journal.append(verdict("w1", up=True))
    await journal.append(verdict("w1"))
    await world.settled()
    newest = (await recovered(journal, "backend"))[-1]
    await journal.reject(newest, "not today")
    older = await journal.before(newest)
    assert older is not None
    assert older.sequence == first
    assert await journal.before(older) is None
    assert [body for body, _ in await world.dead(1)] == [newest.raw]


async def test_an_event_of_an_unknown_type_is_a_value(world: World) -> None:
    journal = await world.open()
    draft = verdict("w1")
    raw = encode(draft, Link("a", "health", 1, 1, NEW_CHAIN))
    odd = raw.replace(b'"backend.down"', b'"backend.mused"').replace(b"backend.down:", b"mused:")
    sequence = await world.put("lvs.a.backend.mused.web.w1", odd)
    found = [stored async for stored in journal.read("backend")]
    assert [stored.sequence for stored in found] == [sequence]
    assert isinstance(found[0].event, Unrecognised)
    assert found[0].raw == odd


async def test_a_restarted_service_fences_its_predecessor(world: World) -> None:
    old = await world.open()
    await old.append(verdict("w1"))
    new = await world.open()
    assert new.epoch == old.epoch + 1
    with pytest.raises(Fenced, match="newer health"):
        await old.append(verdict("w2"))
    with pytest.raises(Fenced):
        old.publish(verdict("w3"))
    with pytest.raises(Fenced):
        async for _ in old.follow():
            pass
    await new.append(verdict("w4"))
    events = await everything(new)
    assert keys(events) == [("health",), ("web", "w1"), ("health",), ("web", "w4")]
    require_chain(events)


async def test_two_services_do_not_fence_each_other(world: World) -> None:
    health, console = await world.open("health"), await world.open("console")
    await asyncio.gather(
        *(health.append(verdict(f"w{number}")) for number in range(20)),
        *(console.append(rejection(number)) for number in range(20)),
    )
    events = await everything(health)
    assert len(events) == 42
    require_chain(events, "health")
    require_chain(events, "console")


async def test_what_is_published_in_an_outage_is_stored_once_and_in_order(world: World) -> None:
    journal = await world.open()
    await journal.append(verdict("w0"))
    await world.outage()
    for number in range(1, 50):
        journal.publish(verdict(f"w{number}"))
    await world.heal()
    async with asyncio.timeout(PATIENCE):
        await journal.flush()
    events = await everything(journal, "backend")
    assert keys(events) == [("web", f"w{number}") for number in range(50)]
    require_chain(await everything(journal))


async def test_an_event_whose_ack_was_lost_is_stored_once(world: World) -> None:
    journal = await world.open()
    await journal.append(verdict("w0"))
    await world.lose_acks()
    pending = asyncio.ensure_future(journal.append(verdict("w1")))
    async with asyncio.timeout(PATIENCE):
        while await world.last() < 3:  # noqa: ASYNC110 - the state of another process
            await asyncio.sleep(0.01)
    journal.publish(verdict("w2"))
    await world.heal()
    async with asyncio.timeout(PATIENCE):
        assert await pending == 3
        await journal.flush()
    events = await everything(journal, "backend")
    assert keys(events) == [("web", "w0"), ("web", "w1"), ("web", "w2")]
    require_chain(await everything(journal))


async def test_a_batch_whose_ack_was_lost_is_stored_once(world: World) -> None:
    journal = await world.open()
    await world.lose_acks()
    waits = [asyncio.ensure_future(journal.append(verdict(f"w{number}"))) for number in range(30)]
    async with asyncio.timeout(PATIENCE):
        while await world.last() < 2:  # noqa: ASYNC110 - the state of another process
            await asyncio.sleep(0.01)
    await world.heal()
    async with asyncio.timeout(PATIENCE):
        sequences = await asyncio.gather(*waits)
    events = await everything(journal, "backend")
    assert [stored.sequence for stored in events] == sequences
    assert keys(events) == [("web", f"w{number}") for number in range(30)]
    require_chain(await everything(journal))


async def test_follow_loses_and_repeats_nothing_across_outages(world: World) -> None:
    health, console = await world.open("health"), await world.open("console")
    heard: list[str] = []
    caught_up: asyncio.Queue[int] = asyncio.Queue()

    async def listen() -> None:
        async for event in console.follow("backend"):
            if isinstance(event, CaughtUp):
                caught_up.put_nowait(event.sequence)
            else:
                heard.append(event.subject.key[1])
            if heard[-1:] == ["end"]:
                return

    listening = asyncio.ensure_future(listen())
    assert await caught_up.get() == 2
    for chapter in range(3):
        for number in range(20):
            health.publish(verdict(f"w{chapter}-{number}"))
        await world.outage()
        health.publish(verdict(f"w{chapter}-out"))
        await world.heal()
    health.publish(verdict("end"))
    async with asyncio.timeout(PATIENCE):
        await listening
    expected = [f"w{chapter}-{name}" for chapter in range(3) for name in (*range(20), "out")]
    assert heard == [*expected, "end"]
    assert caught_up.empty(), "caught up exactly once"


async def test_a_full_log_drops_the_oldest_and_state_keeps_every_register(world: World) -> None:
    health, console = await world.open("health"), await world.open("console")
    await health.append(verdict("w1", up=True))
    await console.append(rejection(1))
    await world.settled()
    await world.limit(30)
    for number in range(40):
        await console.append(rejection(number))
    kinds = {stored.subject.type for stored in await everything(console)}
    assert "backend.up" not in kinds
    state = {stored.subject.register: stored for stored in await recovered(console)}
    assert set(state) >= {("started", "health"), ("rejection", "cluster")}
    verdict_before = state["backend", "web", "w1"]
    await health.append(verdict("w2"))
    chain = [
        stored for stored in await everything(console) if stored.event.source == "/lvs/a/health"
    ]
    assert chain[0].event.chainseq == "3"
    assert chain[0].event.chainprev == sha256(verdict_before.raw).hexdigest()
    assert chain[-1].subject.key == ("web", "w2")


async def test_recovery_is_the_fold_of_the_whole_log(world: World) -> None:
    health, console = await world.open("health"), await world.open("console")
    for number in range(120):
        if number % 7 == 3:
            await world.put(f"lvs.a.backend.up.web.w{number % 5}", b"malformed")
        elif number % 11 == 4:
            await console.append(rejection(number))
        else:
            await health.append(verdict(f"w{number % 13}", up=number % 3 == 0))
    await world.settled()
    fold = {stored.subject.register: stored.sequence for stored in await everything(health)}
    state = {stored.subject.register: stored.sequence for stored in await recovered(health)}
    assert state == fold
