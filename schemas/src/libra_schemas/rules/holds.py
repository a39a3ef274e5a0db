"""Holds: that there is a TCP port to connect to, and a check that is hurried by its end."""

from collections.abc import Iterator

from libra_schemas.config import BackendConfig, Config, ServiceConfig
from libra_schemas.places import STRANGER, Finding, Path


def possible(config: Config) -> Iterator[Finding]:
    """Check that a connection can be held to every backend that asks for it.

    What is wrong with a service's own hold is said once.
    """
    for name, service in config.services.items():
        place: Path = ("services", name)
        said: set[tuple[Path, str]] = set()
        for backend, real in service.backends.items():
            path = (*place, "backends", backend)
            where = (*(place if real.hold is None else path), "hold")
            for finding in _problems(service, real, place, path, where):
                if (where, finding.message) not in said:
                    said.add((where, finding.message))
                    yield finding


def _problems(
    service: ServiceConfig, real: BackendConfig, place: Path, path: Path, where: Path
) -> Iterator[Finding]:
    hold = service.hold_of(real)
    if hold is None:
        return
    keys = ("protocol", "fwmark", "address", "assume_up", "check")
    own = ((*path, "address"), (*path, "check"), (*where, "port"), (*where, STRANGER))
    read = (*((*place, key) for key in keys), *own)
    hint = "name the TCP port to connect to: hold: {port: 80}"
    if service.protocol != "tcp" and hold.port is None:
        message = f"a {service.protocol} backend has no TCP port of its own to hold"
        yield Finding(where, message, hint, read=read)
    elif hold.port is None and not real.address.port and not _port(service):
        yield Finding(where, f"{path[-1]} has no port to hold", hint, read=read)
    if not service.checks_of(real):
        message = f"{path[-1]} has no check that a hold could hurry"
        yield Finding(where, message, "give it a check such as tcp", read=read)


def _port(service: ServiceConfig) -> int:
    return service.address.port if service.address is not None else 0
