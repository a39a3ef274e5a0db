"""Streams are brought to this release's settings; what they hold stays and is completed."""

import asyncio
import base64
import json

from libra_runtime import stamp
from libra_runtime.faults import NatsWorld
from libra_runtime.session import ApiError, Session
from libra_runtime.streams import init_streams, state_stream
from libra_schemas.envelope import Draft
from libra_schemas.events import BackendState
from libra_schemas.subjects import STATE

REGISTER = "state.a.backend.web.x"


def verdict(*, up: bool) -> Draft:
    data = BackendState(
        service="web", backend="x", address="10.0.0.1", port=80, protocol="tcp", target="a" * 64,
        up=up,
    )  # fmt: skip
    return stamp.draft("backend.up" if up else "backend.down", ("web", "x"), data)


async def register(admin: Session) -> str | None:
    try:
        asked = {"last_by_subj": REGISTER}
        answer = await admin.api(f"$JS.API.STREAM.MSG.GET.{STATE}", asked)
    except ApiError:
        return None
    return str(json.loads(base64.b64decode(answer["message"]["data"]))["type"])


async def until(admin: Session, wanted: str) -> None:
    async with asyncio.timeout(60):
        while await register(admin) != wanted:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.05)


async def test_a_log_of_an_older_release_gets_the_registers_of_this_one(nats: NatsWorld) -> None:
    """The server goes through the log again for a register that is new."""
    admin, journal = await nats.admin(), await nats.open()
    older = state_stream("a")
    (source,) = older["sources"]
    source["subject_transforms"] = [
        each for each in source["subject_transforms"] if "backend.down" not in each["src"]
    ]
    await admin.api(f"$JS.API.STREAM.UPDATE.{STATE}", older)
    await journal.append(verdict(up=True))
    await journal.append(verdict(up=False))
    await until(admin, "backend.up")
    await init_streams(admin, "a")
    await until(admin, "backend.down")
    await journal.append(verdict(up=True))
    await until(admin, "backend.up")
