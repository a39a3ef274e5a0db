"""Tracked objects: a program ends before it is due again, an interface is named once."""

from collections.abc import Iterator

from libra_schemas.config import Config, InstanceConfig, TrackedInterface
from libra_schemas.places import Finding, Path

_NAMING = ("vmac", "vrid", "addresses", "group")
"""What says how the interfaces of an instance's virtual MACs are called, and whose they are."""


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
            called = _called(each)
            place = (*path, index)
            first = known.setdefault(called, place)
            if first != place:
                yield Finding(place, f"{called} is tracked already", read=(first,))


def own_vmacs(config: Config) -> Iterator[Finding]:
    """Check that no instance waits for what comes up once it is master itself.

    Instances of one group are master together.
    """
    for name, instance in config.instances.items():
        path: Path = ("instances", name, "track", "interfaces")
        owner = {
            called: other
            for other, theirs in config.instances.items()
            for called in _vmacs(other, theirs)
            if other == name or (instance.group is not None and theirs.group == instance.group)
        }
        for index, each in enumerate(instance.track.interfaces):
            if (other := owner.get(_called(each))) is not None:
                message = f"{_called(each)} is the vmac of {other}, which is up on its master alone"
                hint = "track the interface that it is on, or leave it out"
                read = tuple(("instances", one, key) for one in {name, other} for key in _NAMING)
                yield Finding((*path, index), message, hint, read=read)


def _called(each: TrackedInterface | str) -> str:
    return each.name if isinstance(each, TrackedInterface) else each


def _vmacs(name: str, instance: InstanceConfig) -> Iterator[str]:
    for router in instance.routers(name):
        called = instance.vmac_of(router, name)
        if called is not None:
            yield called
