"""What only a real nats-server and real processes can show."""

import asyncio
import json
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from nats.aio.client import Client

from libra_runtime import stamp
from libra_runtime.faults import NatsWorld
from libra_runtime.journal import CaughtUp, Fenced, JournalUnavailable, OldServer, Stored
from libra_runtime.nats_journal import NatsJournal, open_journal, open_outbox, open_reader
from libra_runtime.nats_server import answers, find_binary
from libra_runtime.session import Session, SessionLost, open_session
from libra_runtime.settings import Edge
from libra_runtime.streams import Limits, log_stream
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.envelope import Draft
from libra_schemas.events import BackendState, Recovered
from libra_schemas.nats import OBSERVER

PATIENCE = 60.0

WRITER = """
import asyncio, json, sys
from pathlib import Path
from libra_runtime import stamp
from libra_runtime.nats_journal import open_journal
from libra_runtime.run import run
from libra_runtime.settings import Edge
from libra_schemas.events import BackendState

async def main():
    edge = Edge(**{key: Path(value) if key in ("state", "run", "seed_file") else value
                   for key, value in json.loads(sys.argv[1]).items()})
    journal = await open_journal(edge)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        name = line.strip().removesuffix("!")
        data = BackendState(service="web", backend=name, address="10.0.0.1", port=80,
                            protocol="tcp", target="a" * 64, up=False)
        journal.publish(stamp.draft("backend.down", ("web", name), data))
        if line.endswith("!\\n"):
            await journal.flush()
        print(line.strip(), flush=True)
    await journal.close("end of input")

sys.exit(run(main))
"""


def verdict(backend: str) -> Draft:
    data = BackendState(
        service="web",
        backend=backend,
        address="10.0.0.1",
        port=80,
        protocol="tcp",
        target="a" * 64,
        up=False,
    )
    return stamp.draft("backend.down", ("web", backend), data)


class Writer:
    """Another process of the service `health`: publishes the names it is told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def say(self, *names: str) -> None:
        """Publish each name (`!`: and wait for the ack); return when the process has said so."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        for name in names:
            self.process.stdin.write(f"{name}\n".encode())
            async with asyncio.timeout(PATIENCE):
                assert await self.process.stdout.readline() == f"{name}\n".encode()

    async def ended(self) -> tuple[int | None, str]:
        """Wait for its end; return exit status and what it said on standard error."""
        async with asyncio.timeout(PATIENCE):
            _, errors = await self.process.communicate()
        return self.process.returncode, errors.decode()


@asynccontextmanager
async def writer(edge: Edge) -> AsyncIterator[Writer]:
    facts = {
        "node": edge.node,
        "service": edge.service,
        "nats": edge.nats,
        "state": str(edge.state),
        "run": str(edge.run),
        "seed_file": str(edge.seed_file),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WRITER,
        json.dumps(facts),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Writer(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def names(journal: NatsJournal) -> list[str]:
    return [stored.subject.key[1] async for stored in journal.read("backend")]


async def recoveries(journal: NatsJournal) -> list[Recovered]:
    found = [stored.event.data async for stored in journal.read("node.recovered")]
    return [data for data in found if isinstance(data, Recovered)]


async def test_what_waited_when_the_process_was_killed_is_stored_by_its_successor(
    nats: NatsWorld,
) -> None:
    edge = nats.server.edge("health")
    async with writer(edge) as process:
        await process.say("w1!")
        await asyncio.to_thread(nats.server.kill)
        await process.say("w2", "w3")
        process.process.kill()
        await process.ended()
    await asyncio.to_thread(nats.server.restart)
    journal = await open_journal(edge)
    async with asyncio.timeout(PATIENCE):
        await journal.flush()
    assert await names(journal) == ["w1", "w2", "w3"]
    await journal.close()
    assert (edge.state / "health.outbox").read_bytes() == b""


async def test_a_spool_that_was_stored_but_not_emptied_is_not_stored_again(
    nats: NatsWorld,
) -> None:
    edge = nats.server.edge("health")
    journal = await open_journal(edge)
    left = [verdict("w1"), verdict("w2")]
    for draft in left:
        await journal.append(draft)
    for task in journal._tasks:
        task.cancel()
    outbox = open_outbox(edge)
    for draft in [*left, verdict("w3")]:
        outbox.put(draft)
    await asyncio.sleep(0.2)  # longer than the deduplication window of this world
    successor = await open_journal(edge)
    async with asyncio.timeout(PATIENCE):
        await successor.flush()
    assert await names(successor) == ["w1", "w2", "w3"]
    await successor.close()


async def test_a_thawed_predecessor_ends_with_one_sentence(nats: NatsWorld) -> None:
    edge = nats.server.edge("health")
    async with writer(edge) as process:
        await process.say("w1!")
        process.process.send_signal(signal.SIGSTOP)
        journal = await open_journal(edge)
        await journal.append(verdict("w2"))
        assert process.process.stdin is not None
        process.process.stdin.write(b"w3!\n")
        process.process.send_signal(signal.SIGCONT)
        status, errors = await process.ended()
    assert status == 1
    assert errors.count("\n") == 1
    assert "a newer health of node a took over" in errors
    assert await names(journal) == ["w1", "w2"]
    await journal.close()


async def test_an_ack_lost_on_a_connection_that_stays_is_found_in_the_log(
    nats: NatsWorld,
) -> None:
    journal = await open_journal(nats.server.edge("health", f"nats://127.0.0.1:{nats.proxy.port}"))
    await nats.lose_acks()
    pending = asyncio.ensure_future(journal.append(verdict("w1")))
    async with asyncio.timeout(PATIENCE):
        while await nats.last() < 2:  # noqa: ASYNC110 - the state of another process
            await asyncio.sleep(0.01)
    nats.proxy.swallow = False
    journal.publish(verdict("w2"))
    async with asyncio.timeout(PATIENCE):
        assert await pending == 2
        await journal.flush()
    assert await names(journal) == ["w1", "w2"]
    assert journal.figures()["sessions"] == 1
    await journal.close()


async def test_an_idle_predecessor_that_only_listens_is_fenced_too(nats: NatsWorld) -> None:
    edge = nats.server.edge("health")
    old = await open_journal(edge)
    events = old.follow("config")
    assert isinstance(await anext(events), CaughtUp)
    new = await open_journal(edge)
    with pytest.raises(Fenced, match="newer health"):
        async with asyncio.timeout(PATIENCE):
            await anext(events)
    await old.close()
    await new.close()


async def test_a_service_starts_and_publishes_while_the_server_is_away(nats: NatsWorld) -> None:
    edge = nats.server.edge("health")
    await asyncio.to_thread(nats.server.kill)
    async with asyncio.timeout(PATIENCE):
        journal = await open_journal(edge)
    journal.publish(verdict("w1"))
    assert not journal.connected
    assert journal.epoch == 0
    assert journal.trouble is not None
    assert edge.nats in journal.trouble
    await asyncio.to_thread(nats.server.restart)
    async with asyncio.timeout(PATIENCE):
        await journal.flush()
    assert journal.connected
    assert journal.epoch == 1
    await journal.close()


async def test_a_service_says_what_to_do_where_the_streams_are_missing(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start_nats, tmp_path)
    try:
        journal = await open_journal(server.edge("health"))
        assert "libra init" in str(journal.trouble)
        journal.publish(verdict("w1"))
        await server.make_streams()
        async with asyncio.timeout(PATIENCE):
            await journal.flush()
        assert await names(journal) == ["w1"]
        await journal.close()
    finally:
        await asyncio.to_thread(server.stop)


async def test_follow_survives_a_server_that_hangs(nats: NatsWorld) -> None:
    health = await open_journal(nats.server.edge("health"))
    console = await open_reader(nats.server.edge("console"))
    events = console.follow("backend")
    assert isinstance(await anext(events), CaughtUp)
    nats.server.server.signal(signal.SIGSTOP)
    health.publish(verdict("w1"))
    await asyncio.sleep(4)  # the watchdog gives up after 3 s of silence
    health.publish(verdict("w2"))
    nats.server.server.signal(signal.SIGCONT)
    heard: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while len(heard) < 2:
            event = await anext(events)
            assert isinstance(event, Stored)
            heard.append(event.subject.key[1])
        await health.flush()
    assert heard == ["w1", "w2"] == await names(health)
    await events.aclose()
    await health.close()
    await console.close()


async def test_an_overflowing_outbox_keeps_the_newest_of_every_register_and_says_so(
    nats: NatsWorld,
) -> None:
    edge = nats.server.edge("health", f"nats://127.0.0.1:{nats.proxy.port}")
    journal = NatsJournal(edge, open_outbox(edge, max_entries=50))
    await journal.append(verdict("w0"))
    await nats.outage()
    for number in range(500):
        journal.publish(verdict(f"w{number % 20}"))
    await nats.heal()
    async with asyncio.timeout(PATIENCE):
        await journal.flush()
    stored = await names(journal)
    assert len(stored) < 60
    assert stored[-20:] == [f"w{number % 20}" for number in range(480, 500)]
    assert sum(data.coalesced for data in await recoveries(journal)) == 501 - len(stored)
    await journal.close()


async def test_a_log_that_was_lost_starts_a_new_chain_and_says_so(nats: NatsWorld) -> None:
    journal = await open_journal(nats.server.edge("health"))
    await journal.append(verdict("w1"))
    admin = await nats.admin()
    for stream in ("LOG", "STATE"):
        await admin.api(f"$JS.API.STREAM.DELETE.{stream}")
    await nats.server.make_streams()
    async with asyncio.timeout(PATIENCE):
        await journal.append(verdict("w2"))
        await journal.flush()
    events = [stored async for stored in journal.read()]
    assert [stored.event.chainseq for stored in events] == ["1", "2", "3"]
    assert events[0].event.epoch == 2
    assert [data.kind for data in await recoveries(journal)] == ["log-lost"]
    await journal.close()


async def test_a_log_that_cannot_be_heard_is_trouble_also_to_who_says_nothing(
    nats: NatsWorld,
) -> None:
    journal = await open_journal(nats.server.edge("health"))

    async def follow() -> None:
        async for _ in journal.follow("config.applied"):
            pass

    following = asyncio.create_task(follow())
    async with asyncio.timeout(PATIENCE):
        while journal.reader.heard == 0:  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.02)
        assert journal.trouble is None
        await (await nats.admin()).api("$JS.API.STREAM.DELETE.LOG")
        while journal.trouble is None:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.02)
    assert journal.connected
    assert journal.trouble == "the log cannot be read: stream not found; run `libra init`"
    following.cancel()
    await journal.close()


async def test_a_claim_that_the_log_dropped_is_renewed(nats: NatsWorld) -> None:
    health = await open_journal(nats.server.edge("health"))
    await nats.limit(10)
    for number in range(20):
        await nats.put("lvs.a.backend.up.web.w1", b"%d" % number)
    await health.append(verdict("w2"))
    assert health.epoch == 2
    await health.close()


async def test_the_observer_sees_each_event_once_and_can_say_nothing(nats: NatsWorld) -> None:
    errors: asyncio.Queue[str] = asyncio.Queue()
    observer = await open_client(nats.server, errors)
    seen: list[str] = []
    done = asyncio.Event()

    async def arrived(message: object) -> None:
        seen.append(str(getattr(message, "subject", "")))
        if seen[-1].endswith(".end"):
            done.set()

    await observer.client.subscribe("backend.down.>", cb=arrived)
    await observer.client.flush()
    journal = await open_journal(nats.server.edge("health"))
    for name in ("w1", "w2", "end"):
        journal.publish(verdict(name))
    async with asyncio.timeout(PATIENCE):
        await done.wait()
    assert seen == [f"backend.down.a.web.{name}" for name in ("w1", "w2", "end")]
    before = await nats.last()
    await observer.publish("lvs.a.backend.down.web.w1", b"forged")
    await observer.client.subscribe("lvs.>")
    async with asyncio.timeout(PATIENCE):
        said = {await errors.get(), await errors.get()}
    assert said == {
        'nats: permissions violation for publish to "lvs.a.backend.down.web.w1"',
        'nats: permissions violation for subscription to "lvs.>"',
    }
    assert await nats.last() == before
    await observer.close()
    await journal.close()


async def open_client(server: TestServer, errors: asyncio.Queue[str]) -> Session:
    """Connect as a plain client with the observer's seed would."""

    async def failed(error: Exception) -> None:
        errors.put_nowait(str(error))

    client = Client()
    seed = server.seeds[OBSERVER].read_text().strip()
    await client.connect(server.url, nkeys_seed_str=seed, allow_reconnect=False, error_cb=failed)
    return Session(client, "_INBOX_observer.test")


@pytest.mark.parametrize(
    "subject",
    [
        "lvs.a.table.changed.web",
        "lvs.a.node.started.vrrp",
        "lvs.b.backend.down.web.w1",
        "$JS.API.STREAM.DELETE.LOG",
        "$JS.API.STREAM.PURGE.LOG",
        "$JS.API.STREAM.UPDATE.LOG",
        "$JS.API.CONSUMER.CREATE.STATE.x",
        "dead.a.vrrp",
    ],
)
async def test_a_service_may_not_say_what_is_not_its_own(nats: NatsWorld, subject: str) -> None:
    errors: asyncio.Queue[str] = asyncio.Queue()
    session = await open_session(nats.server.edge("health"), errors.put_nowait)
    await session.publish(subject, b"{}")
    async with asyncio.timeout(PATIENCE):
        error = await errors.get()
    assert error == f'nats: permissions violation for publish to "{subject.lower()}"'
    await session.close()


async def test_a_service_publishes_only_its_own_types(nats: NatsWorld) -> None:
    journal = await open_journal(nats.server.edge("vrrp"))
    with pytest.raises(ValueError, match=r"vrrp may not publish backend\.down"):
        journal.publish(verdict("w1"))
    await journal.close()


async def greet(info: dict[str, object]) -> tuple[asyncio.Server, int]:
    """Pretend to be a nats-server as far as its greeting."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, family=socket.AF_INET)
    return server, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("info", "sentence"),
    [
        pytest.param({"version": "2.9.10"}, "nats-server 2.9.10 is too old", id="debian-12"),
        pytest.param({"version": "2.12.0"}, "needs 2.12.1 or newer", id="just-too-old"),
        pytest.param({"version": "2.15.1"}, "set max_payload: 8388608", id="small-payload"),
    ],
)
async def test_an_unfit_server_is_refused_with_one_sentence(
    tmp_path: Path, info: dict[str, object], sentence: str
) -> None:
    server, port = await greet({"server_id": "x", "max_payload": 1048576, "headers": True} | info)
    edge = Edge("a", "health", f"nats://127.0.0.1:{port}", tmp_path, tmp_path)
    with pytest.raises(OldServer, match=sentence):
        await open_journal(edge)
    server.close()


async def test_a_server_of_somebody_else_is_waited_out(tmp_path: Path) -> None:
    info = {"server_id": "x", "server_name": "b", "max_payload": 1048576, "version": "2.15.1"}
    server, port = await greet(info)
    url = f"nats://127.0.0.1:{port}"
    journal = await open_journal(Edge("a", "health", url, tmp_path, tmp_path))
    way = f"`ss -ltnp 'sport = :{port}'` on the host names it"
    assert journal.trouble == f"{url} is the NATS server 'b', not node a's: stop it ({way})"
    await journal.close()
    server.close()


async def test_a_server_that_acks_before_the_disk_has_it_is_refused(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start_nats, tmp_path)
    await asyncio.to_thread(server.stop)
    config = server.server.config.read_text()
    server.server.config.write_text(config.replace("sync_interval: always", ""))
    process = await asyncio.create_subprocess_exec(
        find_binary(), "-c", server.server.config, stderr=asyncio.subprocess.DEVNULL
    )
    journal = NatsJournal(server.edge("health"), open_outbox(server.edge("health")))
    try:
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(OldServer, match="sync_interval: always"):
                await journal.append(verdict("w1"))
    finally:
        await journal.close()
        process.terminate()
        await process.wait()


async def test_a_server_of_ours_by_another_name_is_told_its_setting(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start_nats, tmp_path)
    await asyncio.to_thread(server.stop)
    text = server.server.config.read_text().replace("sync_interval: always", "")
    text = re.sub(r"(?m)^server_name.*", 'server_name: "other"', text)
    async with other_server(server, text):
        with pytest.raises(OldServer, match=r"^nats-server acknowledges .* sync_interval: always$"):
            await open_session(server.edge("health"), lambda _: None)


async def test_a_server_without_our_configuration_is_named(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start_nats, tmp_path)
    await asyncio.to_thread(server.stop)
    port = server.server.settings.port
    text = f'server_name: "plain"\nlisten: "127.0.0.1:{port}"\nmax_payload: 8388608\n'
    async with other_server(server, text):
        why = "the NATS server 'plain' does not run on the configuration that `libra init` writes"
        with pytest.raises(JournalUnavailable, match=why):
            await open_session(server.edge("health"), lambda _: None)


@asynccontextmanager
async def other_server(server: TestServer, config: str) -> AsyncIterator[None]:
    """Run nats-server on *config* in the place of *server*."""
    server.server.config.write_text(config)
    process = await asyncio.create_subprocess_exec(
        find_binary(), "-c", server.server.config, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while not answers("127.0.0.1", server.server.settings.port):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


async def test_making_the_streams_twice_changes_nothing(nats: NatsWorld) -> None:
    journal = await open_journal(nats.server.edge("health"))
    await journal.append(verdict("w1"))
    await nats.server.make_streams(Limits(size=64 * 1024 * 1024))
    assert await names(journal) == ["w1"]
    info = await (await nats.admin()).api("$JS.API.STREAM.INFO.LOG")
    expected = log_stream("a", Limits(size=64 * 1024 * 1024))
    assert {key: info["config"][key] for key in expected} == expected
    await journal.close()


@pytest.mark.parametrize(
    ("seed", "complaint"),
    [
        pytest.param(b"\xff\xfe\x00", "no nkey seed of a user", id="noise"),
        pytest.param(b"", "no nkey seed of a user", id="empty"),
        pytest.param(None, "No such file or directory; run `libra init`", id="missing"),
    ],
)
async def test_a_seed_that_cannot_be_used_is_named(
    nats: NatsWorld, seed: bytes | None, complaint: str
) -> None:
    path = nats.server.directory / "other.seed"
    if seed is not None:
        path.write_bytes(seed)
    journal = await open_journal(replace(nats.server.edge("health"), seed_file=path))
    try:
        assert str(path) in (journal.trouble or "")
        assert complaint in (journal.trouble or "")
    finally:
        await journal.close()


async def say_much(session: Session) -> None:
    while True:
        await session.publish("dead.a.health", b"x" * 256 * 1024)


async def test_a_server_that_hangs_hangs_nobody_who_speaks_to_it(nats: NatsWorld) -> None:
    session = await open_session(nats.server.edge("health"), lambda _: None)
    nats.server.server.signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(SessionLost, match="takes nothing more"):
                await say_much(session)
            await session.close()
    finally:
        nats.server.server.signal(signal.SIGCONT)
