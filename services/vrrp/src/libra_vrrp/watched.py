"""What the reporter looks at for the config's tracked objects, and what it saw.

One rule: who tracks the same looks once, whatever name and weight it has with them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from libra_schemas.config.track import Track, TrackedFile, TrackedProcess, TrackedProgram
from libra_schemas.events import FreshState, ServiceState
from libra_vrrp.contribution import Contribution, of_number, of_state
from libra_vrrp.settle import AT_ONCE, Delays


@dataclass(frozen=True, slots=True)
class ProgramWatch:
    """A program to run again and again; times are seconds."""

    command: tuple[str, ...]
    every: float
    timeout: float
    rise: int
    fall: int


@dataclass(frozen=True, slots=True)
class FileWatch:
    """A file to read every so many seconds."""

    path: str
    every: float


@dataclass(frozen=True, slots=True)
class ProcessWatch:
    """Processes to count, by the name of their program."""

    name: str


Watch: TypeAlias = ProgramWatch | FileWatch | ProcessWatch


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a program says that all is well, and why not."""

    up: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """What a file says, or how many processes run."""

    value: int


Verdict: TypeAlias = Judged | Number
Verdicts: TypeAlias = Mapping[Watch, Verdict]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a tracked object contributes as it is seen now; None: nothing is known of it yet."""

    source: str
    contribution: Contribution | None
    delays: Delays = AT_ONCE


def watches(tracks: Iterable[Track]) -> frozenset[Watch]:
    """Return everything that has to be looked at."""
    return frozenset(watch for track in tracks for watch in _watches(track))


def _watches(track: Track) -> Iterator[Watch]:
    yield from map(_of_program, track.programs.values())
    yield from map(_of_file, track.files.values())
    yield from (_of_process(name, one) for name, one in track.processes.items())


def seen(
    track: Track,
    verdicts: Verdicts,
    services: Mapping[str, ServiceState],
    fresh: FreshState | None = None,
) -> tuple[Seen, ...]:
    """Return what an instance's tracked objects contribute now; interfaces are the machine's."""
    return (
        *(_program(name, one, verdicts) for name, one in track.programs.items()),
        *(_file(name, one, verdicts) for name, one in track.files.items()),
        *(_process(name, one, verdicts) for name, one in track.processes.items()),
        *_services(track, services),
        *_sync(track, fresh),
    )


def _program(name: str, one: TrackedProgram, verdicts: Verdicts) -> Seen:
    source = f"program.{name}"
    match verdicts.get(_of_program(one)):
        case Judged(up=up, why=why):
            said = f"program {name} succeeds" if up else f"program {name}: {why}"
            return Seen(source, of_state(one.weight, up=up, why=said))
        case _:
            return Seen(source, None)


def _file(name: str, one: TrackedFile, verdicts: Verdicts) -> Seen:
    source, delays = f"file.{name}", Delays(one.down_for, one.up_for)
    match verdicts.get(_of_file(one)):
        case Number(value=value):
            said = of_number(one.weight, value, f"file {name} says {value}")
            return Seen(source, said, delays)
        case _:
            return Seen(source, None, delays)


def _process(name: str, one: TrackedProcess, verdicts: Verdicts) -> Seen:
    source, delays = f"process.{name}", Delays(one.down_for, one.up_for)
    watch = _of_process(name, one)
    match verdicts.get(watch):
        case Number(value=value):
            why = f"process {watch.name}: {value} of {one.quorum} running"
            said = of_state(one.weight, up=value >= one.quorum, why=why)
            return Seen(source, said, delays)
        case _:
            return Seen(source, None, delays)


def _services(track: Track, services: Mapping[str, ServiceState]) -> Iterator[Seen]:
    """Judge services: one counts as up while its sorry server serves.

    Otherwise all backends dead would move the addresses for nothing.
    """
    for name, one in track.services.items():
        source, delays = f"service.{name}", Delays(one.down_for, one.up_for)
        state = services.get(name)
        if state is None:
            yield Seen(source, None, delays)
            continue
        is_up = state.up or state.sorry
        why = f"service {name} is {'up' if is_up else 'down'}"
        yield Seen(source, of_state(one.weight, up=is_up, why=why), delays)


def _sync(track: Track, fresh: FreshState | None) -> Iterator[Seen]:
    """Judge the copy of the peer's connections."""
    one = track.sync
    if one is None:
        return
    delays = Delays(one.down_for, one.up_for)
    if fresh is None:
        yield Seen("sync", None, delays)
        return
    percent = round(100 * fresh.coverage, 3)
    why = f"{percent:.1f}% of the peer's connections are here"
    said = of_state(one.delta, up=percent >= one.coverage, why=why)
    yield Seen("sync", said, delays)


def _of_program(one: TrackedProgram) -> ProgramWatch:
    return ProgramWatch(one.command, one.every, one.timeout, one.rise, one.fall)


def _of_file(one: TrackedFile) -> FileWatch:
    return FileWatch(one.path, one.every)


def _of_process(name: str, one: TrackedProcess) -> ProcessWatch:
    return ProcessWatch(one.name or name)
