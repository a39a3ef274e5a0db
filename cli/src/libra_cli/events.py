"""`libra events`: the log, one line per event."""

import json
from collections import deque
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase

from libra_cli import log
from libra_cli.exits import UNREACHABLE, CommandError
from libra_cli.output import coloured
from libra_cli.site import Site
from libra_runtime.session import Session
from libra_runtime.stored import Record, last_sequence
from libra_schemas.catalogue import CATALOGUE
from libra_schemas.envelope import decode
from libra_schemas.errors import MalformedEvent
from libra_schemas.sentences.event import sentence
from libra_schemas.text import one_line

_BAD = ("down", "fault", "failed", "rejected", "refused", "drift", "alarm", "lost")
_GOOD = ("up", "master", "back", "sent", "applied")

_WIDEST = 1000
"""Characters of a sentence."""

_AREAS = tuple(dict.fromkeys(f"{kind.partition('.')[0]}.*" for kind in CATALOGUE))

_RECENT = 10
"""Events shown before following, where nobody said since when."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which events: type patterns such as `backend.*` (none = all), from and to when, how many."""

    types: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    last: int | None = None
    follow: bool = False
    json: bool = False


async def show(site: Site, query: Query) -> None:
    """Print the events; with *follow* until the connection is interrupted or lost."""
    async with log.connect(site) as session:
        subject = _subject(site.node, query.types)
        newest = await last_sequence(session)
        first = await _first(session, query, newest)
        end = _end(query, newest)
        recent: deque[Record] = deque(maxlen=query.last or (_RECENT if query.follow else None))
        keep_all = query.since is not None and query.last is None
        async with aclosing(log.read(session, subject, first, end)) as past:
            async for each in past:
                if not _wanted(each, query.types):
                    continue
                if query.last is None and (keep_all or not query.follow):
                    _print(each, query)
                else:
                    recent.append(each)
        for each in recent:
            _print(each, query)
        if query.follow:
            await _follow(session, subject, newest + 1, query)


def unknown(patterns: Iterable[str]) -> str | None:
    """Say which of *patterns* no event type of this release matches, and what is near."""
    for pattern in patterns:
        if not any(fnmatchcase(kind, pattern) for kind in CATALOGUE):
            near = get_close_matches(pattern, [*CATALOGUE, *_AREAS], n=1)
            advice = f"did you mean {near[0]}?" if near else f"the areas are {', '.join(_AREAS)}"
            return f"{pattern!r} is no event type: {advice}"
    return None


async def _first(session: Session, query: Query, newest: int) -> int:
    if query.since is None:
        return max(1, newest - 1000 * (query.last or _RECENT)) if query.follow else 1
    now = datetime.now(UTC)
    since = log.Moment.parse(query.since, now)
    since.require_reached(newest + 1, now)
    return await log.first_from(session, since)


def _end(query: Query, newest: int) -> log.Moment:
    """Tell the last moment to show: the log goes on while it is read."""
    if query.until is None:
        return log.Moment(newest, None)
    now = datetime.now(UTC)
    end = log.Moment.parse(query.until, now)
    end.require_reached(newest, now)
    return end


async def _follow(session: Session, subject: str, first: int, query: Query) -> None:
    async with aclosing(log.follow(session, subject, first)) as news:
        async for each in news:
            if _wanted(each, query.types):
                _print(each, query)
    raise CommandError("the connection to nats-server is lost", UNREACHABLE)


def _subject(node: str, types: tuple[str, ...]) -> str:
    """Choose the narrowest subject that holds all *types*."""
    first = types[0].split(".") if len(types) == 1 else []
    if len(first) != 2:  # noqa: PLR2004 - a type is two tokens
        return f"lvs.{node}.>"
    area, kind = ("*" if any(c in part for c in "*?[") else part for part in first)
    return f"lvs.{node}.{area}.{kind}.>"


def _wanted(each: Record, types: tuple[str, ...]) -> bool:
    kind = ".".join(each.subject.split(".")[2:4])
    return not types or any(fnmatchcase(kind, pattern) for pattern in types)


def _print(each: Record, query: Query) -> None:
    print(_json(each) if query.json else line(each), flush=query.follow)


def _json(each: Record) -> str:
    """Give the event exactly as stored, with its place in the log beside it."""
    try:
        event = json.loads(each.raw)
    except ValueError:
        event = {"malformed": each.raw.decode(errors="backslashreplace")}
    stored = {"sequence": each.sequence, "stored": each.time.isoformat()}
    return json.dumps(stored | event, ensure_ascii=False)


def line(each: Record) -> str:
    """Say one event: when the log stored it, sequence, type, sentence."""
    try:
        subject, event = decode(each.subject, each.raw)
    except MalformedEvent as error:
        return f"{_time(each.time)} {each.sequence:>7}  malformed on {each.subject}: {error}"
    kind = f"{subject.type:<17}"
    verb = subject.type.partition(".")[2]
    colour = "red" if verb in _BAD else "green" if verb in _GOOD else "dim"
    said = one_line(sentence(event, subject), _WIDEST)
    return f"{_time(each.time)} {each.sequence:>7}  {coloured(kind, colour)} {said}"


def _time(time: datetime) -> str:
    """Give local time to the millisecond."""
    return time.astimezone().isoformat(sep=" ", timespec="milliseconds")[:23]
