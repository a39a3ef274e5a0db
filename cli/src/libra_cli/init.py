"""`libra init`: a node's directories, keys, server configuration, streams and first config.

Idempotent, and in stages, because containers do each where its counterpart runs already: files
before nats-server, streams after it, the config after the console.

Compose makes changed containers anew before the first stage speaks, and starts them after it. So
that a config with errors stops no director, a node that has a config already goes on with it
(`--lenient`) and the last stage refuses the new one.
"""

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from libra_cli import identity
from libra_cli.config_file import flaw_of
from libra_cli.exits import MISSING, UNREACHABLE, CommandError
from libra_cli.log import connect
from libra_cli.offer import Declined, Offer, await_console, offer, tell_refused
from libra_cli.prepare import prepare
from libra_cli.server_ports import squatter
from libra_cli.site import Given, Site, locate
from libra_runtime.nats_server import answers
from libra_runtime.session import ApiError
from libra_runtime.streams import init_streams

if TYPE_CHECKING:
    from libra_schemas.errors import ConfigError

Stage = Literal["files", "streams", "config"]
_LOOK = 0.2
"""Seconds between two looks for nats-server."""

_SURE = 10
"""Looks in a row that find a port taken by others until that is believed."""

_TELLING = 30.0
"""Seconds at most for a console that is to tell the log of a config with errors."""

RESTART = "libra: {} has changed: restart nats-server (`docker compose restart nats`)\n"

STAGES: tuple[Stage, ...] = ("files", "streams", "config")


@dataclass(frozen=True, slots=True)
class Work:
    """What `libra init` was asked for.

    *patience* (s) is for nats-server and for the console each; *monitor* is the port of
    nats-server's own monitoring on loopback, 0 for none.
    """

    site: Site
    stages: tuple[Stage, ...] = STAGES
    config: Offer | None = None
    patience: float = 0.0
    monitor: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: *streams* None = not asked for; *revision* None = see *note*, if any."""

    streams: bool | None = None
    revision: int | None = None
    note: str = ""


async def init(work: Work) -> Done:
    """Do the stages in order; raise CommandError with what is missing."""
    if "files" in work.stages and prepare(work.site, identity.chosen, work.monitor):
        sys.stderr.write(RESTART.format(work.site.server_config))
    streams = await _streams(work) if "streams" in work.stages else None
    if streams is False or work.config is None or "config" not in work.stages:
        return Done(streams)
    await await_console(work.site, work.patience)
    try:
        answer = await offer(work.site, work.config)
    except Declined as declined:
        return Done(streams, note=str(declined))
    return Done(streams, answer["number"])


def goes_on_without(config: Path, where: Given) -> bool:
    """Tell whether *config* has errors and the node runs with one it has already; say so."""
    site = locate(where)
    if not site.kept_config.exists():
        return False
    flaw = flaw_of(config)
    if flaw:
        consequence = f"node {site.node} goes on with the config it has"
        sys.stderr.write(f"libra: {config} is not taken over ({flaw}): {consequence}\n")
    return flaw != ""


def report_refused(where: Given, patience: float, file: Path, error: "ConfigError") -> None:
    """Have the log say that *file* was refused, *patience* seconds at most."""
    site = locate(where)
    try:
        asyncio.run(await_console(site, min(patience, _TELLING)))
    except CommandError as gone:
        sys.stderr.write(f"libra: the log does not tell of this: {gone}\n")
    else:
        tell_refused(site, file, "libra init", error)


async def _streams(work: Work) -> bool:
    """Make the streams; False where nats-server need not be there yet."""
    if not await _server(work):
        return False
    async with connect(work.site) as session:
        try:
            await init_streams(session, work.site.node, work.site.limits)
        except ApiError as error:
            raise CommandError(f"nats-server refuses the streams: {error}", MISSING) from None
    return True


async def _server(work: Work) -> bool:
    """Wait for nats-server; False where it need not be there yet."""
    deadline = time.monotonic() + work.patience
    doubts = 0
    while not await asyncio.to_thread(answers, *work.site.endpoint):
        taken = await asyncio.to_thread(squatter, work.site, work.monitor)
        doubts = doubts + 1 if taken and taken.sure else 0
        if time.monotonic() >= deadline or doubts == _SURE:
            if taken:
                raise CommandError(taken.sentence, MISSING if taken.sure else UNREACHABLE)
            if work.patience:
                raise CommandError(
                    f"no nats-server answers on {work.site.nats} after {work.patience:g} s: "
                    "its own log says why",
                    UNREACHABLE,
                )
            return False
        await asyncio.sleep(_LOOK)
    return True


def report(work: Work, done: Done) -> str:
    """Tell what was made, a line each, and what to do where something could not be."""
    site, lines = work.site, []
    if "files" in work.stages:
        lines.append(f"node {site.node}: keys and server configuration are in {site.state}")
    if done.streams:
        lines.append(f"node {site.node}: the streams are there")
    if done.streams is False:
        lines.append(
            f"no nats-server answers on {site.nats}: `libra up` makes the streams; with a server "
            f"of your own start it with {site.server_config} and run `libra init` again"
        )
    if done.revision is not None:
        lines.append(f"node {site.node}: revision {done.revision} is in force")
    if done.note:
        lines.append(done.note)
    return "\n".join(lines)
