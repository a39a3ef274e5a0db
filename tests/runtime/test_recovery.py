"""What recovery and the tail compute before they ask the server."""

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libra_runtime import stamp
from libra_runtime.faults import MemoryWorld, NatsWorld, World
from libra_runtime.journal import CaughtUp, Journal, Stored
from libra_runtime.stored import timestamp
from libra_runtime.streams import state_stream
from libra_runtime.tail import filters
from libra_schemas.envelope import Draft
from libra_schemas.events import AdminState, BackendState, ConfigRejected
from libra_schemas.subjects import REGISTER_OF

Deed = tuple[str, int]


@pytest.mark.parametrize(
    ("types", "subjects"),
    [
        ((), ["lvs.a.>"]),
        (("backend",), ["lvs.a.backend.>"]),
        (("backend.down", "backend"), ["lvs.a.backend.>"]),
        (("backend.down", "config", "backend.down"), ["lvs.a.backend.down.>", "lvs.a.config.>"]),
    ],
)
def test_types_become_filters_that_do_not_overlap(
    types: tuple[str, ...], subjects: list[str]
) -> None:
    assert filters("a", types) == subjects


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("2026-11-22T18:30:05Z", 0),
        ("2026-11-22T18:30:05.82Z", 820_000),
        ("2026-11-22T18:30:05.823559418Z", 823_559),
    ],
)
def test_times_of_the_server_are_read_to_the_microsecond(text: str, micro: int) -> None:
    assert timestamp(text) == datetime(2026, 11, 22, 18, 30, 5, micro, UTC)


def test_state_maps_every_type_to_its_register() -> None:
    transforms = state_stream("a")["sources"][0]["subject_transforms"]
    assert {each["src"]: each["dest"] for each in transforms} == {
        f"lvs.a.{kind}.>": f"state.a.{register}.>" for kind, register in REGISTER_OF.items()
    }


def verdict(number: int) -> Draft:
    name, up = f"w{number % 4}", number % 3 == 0
    data = BackendState(
        service="web",
        backend=name,
        address="10.0.0.1",
        port=80,
        protocol="tcp",
        target="a" * 64,
        up=up,
    )
    return stamp.draft("backend.up" if up else "backend.down", ("web", name), data)


def rejection(number: int) -> Draft:
    data = ConfigRejected(number=number, hash="b" * 64, author="test", problems=())
    return stamp.draft("config.rejected", ("cluster",), data)


def drain(number: int) -> Draft:
    key = ("backend", "web", f"w{number % 4}")
    data = AdminState(entity=key, who="test", mode="drain" if number % 2 else "ready")
    return stamp.draft(f"operator.{data.mode}", key, data)


async def perform(world: World, services: dict[str, Journal], deeds: list[Deed]) -> None:
    for deed, number in deeds:
        match deed:
            case "verdict":
                await services["health"].append(verdict(number))
            case "config":
                await services["console"].append(rejection(number))
            case "operator":
                await services["console"].append(drain(number))
            case "restart":
                services["health"] = await world.open("health")
            case _:
                await world.put(f"lvs.a.backend.up.web.w{number % 4}", b"malformed %d" % number)


async def require_fold(world: World, journal: Journal) -> None:
    """Compare the registers that recovery yields with the fold of the whole log."""
    fold: dict[tuple[str, ...], bytes] = {}
    async for stored in journal.read():
        fold[stored.subject.register] = stored.raw
    state: dict[tuple[str, ...], bytes] = {}
    newest = 0
    async for event in journal.follow():
        if isinstance(event, CaughtUp):
            assert event.sequence == await world.last()
            break
        assert isinstance(event, Stored)
        assert event.sequence > newest
        newest = event.sequence
        state[event.subject.register] = event.raw
    assert state == fold


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["verdict", "config", "operator", "restart", "malformed"]),
        st.integers(0, 99),
    ),
    max_size=25,
)


@pytest.mark.parametrize("real", [False, True], ids=["memory", "nats"])
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(chapters=st.lists(DEEDS, min_size=1, max_size=4))
def test_recovery_is_the_fold_of_the_whole_log(
    tmp_path_factory: pytest.TempPathFactory, chapters: list[list[Deed]], *, real: bool
) -> None:
    async def story(directory: Path) -> None:
        world: World = await NatsWorld.start(directory) if real else MemoryWorld()
        try:
            services = {name: await world.open(name) for name in ("health", "console")}
            for deeds in chapters:
                await perform(world, services, deeds)
                if random.random() < 0.5:
                    await world.settled()
                await require_fold(world, services["console"])
        finally:
            await world.close()

    asyncio.run(story(tmp_path_factory.mktemp("world")))
