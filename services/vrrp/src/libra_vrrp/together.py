"""What the instances of a sync group track together.

One rule: what moves the priority of one moves that of all, since they could not follow one of its
own; of two weights the heavier counts. A fault stays with who tracks it: the group follows anyway.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from libra_schemas.config import Config, InstanceConfig, Track, TrackedInterface
from libra_schemas.config.track import (
    TrackedFile,
    TrackedProcess,
    TrackedProgram,
    TrackedService,
    TrackedSync,
)

_LONGEST: Final = 63
"""Characters of a name."""

Weighted = TypeVar("Weighted", TrackedProgram, TrackedFile, TrackedProcess, TrackedService)


def together(config: Config, name: str) -> Track:
    """Return all that moves the priority of an instance, or puts it in fault."""
    one = config.instances[name]
    track = one.track
    for member, other in config.instances.items():
        if other is not one and one.group is not None and other.group == one.group:
            track = _joined(track, other, member)
    return track


def _joined(track: Track, other: InstanceConfig, member: str) -> Track:
    theirs = other.track
    return Track(
        interfaces=_interfaces(track, theirs),
        programs=_named(track.programs, theirs.programs, member),
        files=_named(track.files, theirs.files, member),
        processes=_named(track.processes, theirs.processes, member),
        services=_named(track.services, theirs.services, member),
        sync=_synced(track.sync, theirs.sync),
    )


def _synced(mine: TrackedSync | None, other: TrackedSync | None) -> TrackedSync | None:
    """Join what is one thing for all: the same for every member, but for a fault of its own."""
    if other is None or other.delta is None or (mine is not None and mine.delta is None):
        return mine
    return min((one for one in (mine, other) if one is not None), key=_severity)


def _severity(one: TrackedSync) -> tuple[int, int, float, float]:
    """Order them: the heaviest first, then the strictest."""
    return one.delta or 0, -one.coverage, one.down_for, -one.up_for


def _interfaces(track: Track, theirs: Track) -> tuple[str | TrackedInterface, ...]:
    found = {_called(each): each for each in track.interfaces}
    for each in theirs.interfaces:
        if isinstance(each, TrackedInterface) and each.weight is not None:
            mine = found.setdefault(each.name, each)
            if isinstance(mine, TrackedInterface) and _is_heavier(each.weight, mine.weight):
                found[each.name] = each
    return tuple(found.values())


def _called(each: str | TrackedInterface) -> str:
    return each if isinstance(each, str) else each.name


def _named(
    own: Mapping[str, Weighted], theirs: Mapping[str, Weighted], member: str
) -> dict[str, Weighted]:
    """Join objects by name; others of the same name are told apart by whose they are."""
    found = dict(own)
    for name, each in theirs.items():
        if each.weight is None:
            continue
        mine = found.setdefault(name, each)
        if not _is_same(mine, each):
            found[f"{member}-{name}"[:_LONGEST]] = each
        elif _is_heavier(each.weight, mine.weight):
            found[name] = each
    return found


def _is_same(mine: Weighted, other: Weighted) -> bool:
    return mine.model_copy(update={"weight": other.weight}) == other


def _is_heavier(weight: int, than: int | None) -> bool:
    return than is not None and weight < than
