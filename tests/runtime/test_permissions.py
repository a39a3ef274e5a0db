"""Who may not say what, asked of a real nats-server: every forbidden publish is refused there."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from libra_runtime.session import Session, open_session
from libra_runtime.stored import last_sequence
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.events import MODELS
from libra_schemas.nats import ADMIN, LIFE, LIVE, OBSERVER, PUBLISHES
from libra_schemas.subjects import DEAD, LOG, STATE

PATIENCE = 60.0
USERS = (*PUBLISHES, OBSERVER)
STREAMS = (LOG, STATE, DEAD)
ALTERS = (
    *("STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.PURGE", "STREAM.RESTORE"),
    *("STREAM.SNAPSHOT", "STREAM.MSG.DELETE", "STREAM.MSG.GET", "STREAM.LEADER.STEPDOWN"),
    *("STREAM.PEER.REMOVE", "CONSUMER.DURABLE.CREATE", "CONSUMER.DELETE", "CONSUMER.PAUSE"),
)
ELSEWHERE = (
    *("$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.INFO", "$JS.API.META.x"),
    *("$JS.API.ACCOUNT.PURGE.LIBRA", "$JS.API.SERVER.REMOVE"),
    *("$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.SERVER.PING.HEALTHZ"),
    *("$SYS.REQ.SERVER.a.RELOAD", "$SYS.REQ.ACCOUNT.LIBRA.INFO"),
    *("state.a.backend.web.w1", "$JS.ACK.LOG.x.1.1.1.1.0", "_INBOX_admin.x"),
)


def may_log(user: str, kind: str, of: str) -> bool:
    """Say by the rule, not by the table under test: each service its types and its own life."""
    if kind in LIFE:
        return user == of
    return kind.split(".", maxsplit=1)[0] in PUBLISHES.get(user, ())


def forbidden(user: str) -> Iterator[str]:
    """Name every subject that *user* must not publish."""
    for kind in MODELS:
        of = [*PUBLISHES, "x"] if kind in LIFE else ["web.w1"]
        yield from (f"lvs.a.{kind}.{each}" for each in of if not may_log(user, kind, each))
        yield from (f"lvs.b.{kind}.{each}" for each in (user, "x"))
        yield f"{kind}.a.web.w1"
    for other in PUBLISHES:
        if other != user:
            yield from (f"dead.a.{other}", f"alarm.a.{other}", f"_INBOX_{other}.x")
        words = set(LIVE.get(other, ())) - set(LIVE.get(user, ()))
        yield from (f"{word}.a.x" for word in words)
    for stream in STREAMS:
        yield from (f"$JS.API.{verb}.{stream}" for verb in ALTERS)
        yield from (f"$JS.a.API.{verb}.{stream}" for verb in ALTERS)
        yield from (f"$JS.b.API.{verb}.{stream}" for verb in ALTERS)
        yield f"$JS.API.STREAM.MSG.DELETE.{stream}.x"
    yield from (f"$JS.API.CONSUMER.CREATE.{each}.x" for each in (STATE, DEAD))
    yield from (f"$JS.API.CONSUMER.{verb}.{LOG}.x" for verb in ("DELETE", "PAUSE", "RESET"))
    if user != "health":
        yield from (f"$JS.b.API.CONSUMER.{verb}.{LOG}.x" for verb in ("CREATE", "MSG.NEXT"))
        yield from (f"$JS.b.API.DIRECT.GET.{stream}" for stream in (LOG, STATE))
    yield from (f"$JS.b.API.{verb}.{DEAD}" for verb in ("DIRECT.GET", "CONSUMER.CREATE"))
    yield from ELSEWHERE


def named(subject: str) -> str:
    """Name *subject* as the refusal does: without the domain, in lower case."""
    return subject.lower().replace("$js.a.api", "$js.api")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TestServer]:
    made = await asyncio.to_thread(start_nats, tmp_path)
    await made.make_streams()
    yield made
    await asyncio.to_thread(made.stop)


async def ends(admin: Session) -> list[int]:
    return [await last_sequence(admin, stream) for stream in STREAMS]


async def connect(server: TestServer, user: str, refused: "asyncio.Queue[str]") -> Client:
    """Connect as a plain client with *user*'s seed would: the observer asks for nothing."""

    async def failed(error: Exception) -> None:
        refused.put_nowait(str(error))

    client = Client()
    seed = server.seeds[user].read_text().strip()
    await client.connect(server.url, nkeys_seed_str=seed, allow_reconnect=False, error_cb=failed)
    return client


@pytest.mark.parametrize("user", USERS)
async def test_the_server_refuses_everything_that_a_user_must_not_publish(
    server: TestServer, user: str
) -> None:
    refused: asyncio.Queue[str] = asyncio.Queue()
    client = await connect(server, user, refused)
    admin = await open_session(server.edge(ADMIN), lambda _: None)
    before = await ends(admin)
    subjects = set(forbidden(user))
    for subject in subjects:
        await client.publish(subject, b"{}")
    missing = Counter(map(named, subjects))
    try:
        async with asyncio.timeout(PATIENCE):
            while missing:
                said = await refused.get()
                missing -= Counter([said.removesuffix('"').rpartition('"')[2]])
    except TimeoutError:
        pytest.fail(f"not refused to {user}: {sorted(missing)}")
    assert await ends(admin) == before
    await client.close()
    await admin.close()
