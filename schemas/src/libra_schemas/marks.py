"""Which firewall mark leads to which backend: those that are checked through IPVS (design §5).

Rule: health, who marks its probes, and the ipvs-writer, who makes a virtual service per mark,
compute it alike, from the config alone. A mark follows from the names of service and backend, so
that no other change of the config moves it, but for the rare one that takes its place.
"""

import re
from collections.abc import Iterator
from hashlib import sha256

from libra_schemas.config import BackendConfig, Config, ServiceConfig
from libra_schemas.config.mark_range import MarkRange

Key = tuple[str, str]
"""Names of a service and of a backend of it."""

_NAME = re.compile("path-[0-9a-f]{8}")


def name_of(mark: int) -> str:
    """Name the private service of *mark* as events do: `path-4c1a2b3c`."""
    return f"path-{mark:08x}"


def is_private(name: str) -> bool:
    """Tell whether a service's *name* is that of a private one; the config may give none such."""
    return _NAME.fullmatch(name) is not None


def is_asked_through(service: ServiceConfig, backend: BackendConfig) -> bool:
    """Tell whether any check of *backend* goes through IPVS."""
    if service.address is None:
        return False
    return any(check.data_path for check in service.checks_of(backend))


def asked_through(config: Config) -> Iterator[Key]:
    """Name every backend that is checked through IPVS."""
    for name, service in config.services.items():
        for backend, real in service.backends.items():
            if is_asked_through(service, real):
                yield name, backend


def is_marking(config: Config) -> bool:
    """Tell whether any probe bears a mark, which takes a privilege of who sends it."""
    checks = (
        check
        for service in config.services.values()
        for backend in service.backends.values()
        for check in service.checks_of(backend)
    )
    return any(check.fwmark or check.data_path for check in checks)


def marks_of(config: Config) -> dict[Key, int]:
    """Give each backend that is checked through IPVS its own mark.

    Never one that a service or a check of the config has. Raise ValueError where the range is full.
    """
    taken = taken_marks(config)
    found: dict[Key, int] = {}
    for key in sorted(asked_through(config)):
        found[key] = _free(config.ipvs.mark_range, "/".join(key), taken)
        taken.add(found[key])
    return found


def _free(marks: MarkRange, name: str, taken: set[int]) -> int:
    """Find the mark of *name*: where its digest says, or the next one that is free."""
    place = int.from_bytes(sha256(name.encode()).digest()[:4], "big")
    for step in range(marks.size):
        mark = marks.first + (place + step) % marks.size
        if mark not in taken:
            return mark
    raise ValueError(f"all marks of {marks} are taken")


def taken_marks(config: Config) -> set[int]:
    """Give the marks of the range that services and checks of the config have already."""
    marks = config.ipvs.mark_range
    return {mark for mark in _named(config) if mark in marks}


def _named(config: Config) -> Iterator[int]:
    for service in config.services.values():
        if service.fwmark is not None:
            yield service.fwmark
        for backend in service.backends.values():
            yield from (check.fwmark for check in service.checks_of(backend) if check.fwmark)
