"""The main job end to end: the demo's steps, and a plain NATS client that listens to them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nats
import pytest
from nats.aio.msg import Msg

from libra_lab.demo.director import BIN, Director
from libra_lab.demo.scene import Scene, scene
from libra_lab.demo.story import STEPS, run_step
from libra_lab.demo.tell import Told
from libra_lab.inside import enter
from libra_lab.waiting import wait_until

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def played() -> Iterator[Scene]:
    with scene(Told()) as made:
        yield made


@dataclass
class Listener:
    """What a plain subscription prints: subject and log sequence of every message."""

    director: Director
    subject: str
    heard: list[tuple[str, str]] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        enter(self.director.node.namespace)
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        seed = self.director.folder / "state" / "seeds" / "observer.seed"
        client = await nats.connect(
            "nats://127.0.0.1:4222", nkeys_seed=str(seed), inbox_prefix=b"_INBOX_observer"
        )

        async def note(message: Msg) -> None:
            sequence = (message.headers or {}).get("Nats-Sequence", "")
            self.heard.append((message.subject, sequence))

        await client.subscribe(self.subject, cb=note)
        await client.flush()
        self.ready.set()
        await asyncio.to_thread(self.stop.wait)
        await client.close()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: str(step.__name__))
def test_the_story_holds(played: Scene, step: Callable[[Scene], None]) -> None:
    run_step(played, step)
    assert all(director.table() for director in played.directors)


def test_the_observer_hears_each_logged_event_once(played: Scene) -> None:
    director = played.a
    listener = Listener(director, "backend.down.>")
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        assert listener.ready.wait(30)
        for name in ("w2", "w3"):
            played.kill_server(name)
        director.wait_for_destinations(played.web, played.real("w1"))
        wait_until(lambda: len(listener.heard) >= 2, "two events", 10)
    finally:
        listener.stop.set()
        thread.join()
    logged = [
        (f"backend.down.a.{event['subject'].replace('/', '.')}", str(event["sequence"]))
        for event in director.events("--type", "backend.down")
    ]
    assert sorted(subject for subject, _ in listener.heard) == [
        "backend.down.a.web.w2",
        "backend.down.a.web.w3",
    ]
    assert listener.heard == logged[-2:]


def test_a_bad_config_is_refused_whole_and_nothing_changes(played: Scene, tmp_path: Path) -> None:
    before = played.a.table()
    bad = tmp_path / "bad.yaml"
    bad.write_text(played.a.config.read_text().replace('"rr"', '"rrr"').replace('"nat"', '"natt"'))
    refused = played.a.node.run(
        str(BIN / "libra"), "apply", str(bad), environment=played.a.environment, check=False
    )
    assert refused.returncode == 1
    assert "services.web.scheduler" in refused.stderr
    assert "services.web.forward" in refused.stderr
    assert "services.names.scheduler" in refused.stderr
    assert played.a.table() == before


def test_ctrl_c_ends_all_and_the_table_stays(played: Scene) -> None:
    before = played.b.table()
    assert played.b.stop() == 0
    assert not played.b.node.processes()
    assert played.b.table() == before
    assert not played.b.owns(played.lab.web_vip)


def test_a_restart_with_nothing_changed_writes_nothing(played: Scene) -> None:
    changes = played.a.events("--type", "table.changed")
    before = played.a.table()
    assert played.a.stop() == 0
    played.a.start()
    wait_until(lambda: played.a.owns(played.lab.web_vip), "a is back as master", 90)
    played.a.require_agreement()
    assert played.a.table() == before
    assert played.a.events("--type", "table.changed") == changes
