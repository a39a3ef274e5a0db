"""Tracked objects: a program ends before it is due again, an interface is named once."""

from collections.abc import Iterator

from libra_schemas.config import Config, TrackedInterface
from libra_schemas.places import Finding, Path


def timeouts(config: Config) -> Iterator[Finding]:
    """Check that a program has ended before it is started again."""
    for name, instance in config.instances.items():
        for program, tracked in instance.track.programs.items():
            path: Path = ("instances", name, "track", "programs", program)
            if tracked.timeout > tracked.every:
                message = f"timeout {tracked.timeout:g}s is longer than every {tracked.every:g}s"
                yield Finding((*path, "timeout"), message, read=((*path, "every"),))


def interfaces(config: Config) -> Iterator[Finding]:
    """Check that an interface is tracked once."""
    for name, instance in config.instances.items():
        path: Path = ("instances", name, "track", "interfaces")
        known: dict[str, Path] = {}
        for index, each in enumerate(instance.track.interfaces):
            called = each.name if isinstance(each, TrackedInterface) else each
            place = (*path, index)
            first = known.setdefault(called, place)
            if first != place:
                yield Finding(place, f"{called} is tracked already", read=(first,))
