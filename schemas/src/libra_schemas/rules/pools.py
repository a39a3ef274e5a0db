"""Pools: real servers that the kernel can reach as asked, and that somebody checks."""

from collections.abc import Iterator
from dataclasses import dataclass

from libra_schemas.config import Config, Endpoint, ServiceConfig
from libra_schemas.config.check import KINDS
from libra_schemas.config.service import Forward
from libra_schemas.places import Finding, Path
from libra_schemas.rules.services import family_of, meant_port, takes

WITH_PORT = frozenset(KINDS) - {"icmp", "exec", "file"}
"""The checks that ask a port."""


@dataclass(frozen=True, slots=True)
class _Member:
    """A real server or sorry server: where it stands, where it is, and how packets get there."""

    service: ServiceConfig
    place: Path
    path: Path
    endpoint: Endpoint
    forward: Forward

    @property
    def address(self) -> Path:
        return (*self.path, "address")

    @property
    def read(self) -> tuple[Path, ...]:
        """List what says how packets come in and go on."""
        own = ("address", "fwmark", "family", "persistence", "forward")
        return (*((*self.place, key) for key in own), (*self.path, "forward"))


def _members(config: Config) -> Iterator[_Member]:
    """Give every real server and sorry server."""
    for name, service in config.services.items():
        place: Path = ("services", name)
        for backend, real in service.backends.items():
            path = (*place, "backends", backend)
            yield _Member(service, place, path, real.address, service.forward_of(real))
        if service.sorry is not None:
            forward = service.sorry.forward or service.forward
            yield _Member(service, place, (*place, "sorry"), service.sorry.address, forward)


def reachable(config: Config) -> Iterator[Finding]:
    """Check families (only tunnels may mix them) and that no server stands in a pool twice."""
    seen: dict[tuple[Path, Endpoint], Path] = {}
    for member in _members(config):
        address, family = member.endpoint.address, family_of(member.service)
        if member.forward != "tun" and family not in {address.version, None}:
            message = f"{address} is no IPv{family} address as its service's"
            hint = "only forward: tun may mix families"
            yield Finding(member.address, message, hint, read=member.read)
        first = seen.setdefault((member.place, member.endpoint), member.path)
        if first != member.path:
            message = f"{first[-1]} has the address {member.endpoint} already"
            yield Finding(member.address, message, read=((*first, "address"),))


def loops(config: Config) -> Iterator[Finding]:
    """Check that no backend of a service is the service itself."""
    for member in _members(config):
        virtual, real = member.service.address, member.endpoint
        if virtual is None or virtual.address != real.address or member.path[2] == "sorry":
            continue
        if virtual.port in {0, real.port}:
            message = f"{real} is the service itself: what goes there comes back"
            hint = "write the address of the server"
            yield Finding(member.address, message, hint, read=((*member.place, "address"),))


def ports(config: Config) -> Iterator[Finding]:
    """Check ports: direct routing and tunnels cannot translate them."""
    for member in _members(config):
        message, hint = _port_problem(member.service, member.endpoint, member.forward)
        if message:
            yield Finding(member.address, message, hint, read=member.read)


def _port_problem(service: ServiceConfig, endpoint: Endpoint, forward: Forward) -> tuple[str, str]:
    wanted = takes(service)
    if wanted is None or (wanted == 0 and forward == "nat"):
        return "", ""
    if wanted == 0 and endpoint.port:
        return f"a port cannot be translated by forward: {forward}", "leave the port out"
    if endpoint.port == wanted:
        return "", ""
    if not endpoint.port:
        meant = meant_port(endpoint.address)
        hint = f"write {meant}" if meant else f"write {Endpoint(endpoint.address, wanted)}"
        return "a port is missing", hint
    if forward == "nat":
        return "", ""
    return f"forward: {forward} keeps port {wanted}", "give the same port or use forward: nat"


def checked(config: Config) -> Iterator[Finding]:
    """Check that somebody tells whether each real server is up, and where to ask it."""
    for name, service in config.services.items():
        place: Path = ("services", name)
        for backend, real in service.backends.items():
            path = (*place, "backends", backend)
            checks = service.checks_of(real)
            read = ((*place, "check"), (*path, "check"))
            if not checks and not service.assume_up:
                said = tuple((*place, key) for key in ("protocol", "fwmark", "assume_up"))
                message = "nothing checks this backend"
                hint = "give it or its service a check such as icmp, or assume_up: true"
                yield Finding(path, message, hint, read=(*read, *said))
            without = takes(service) == 0 and not real.address.port
            for check in checks if without else ():
                if WITH_PORT.intersection(check.kinds) and not check.port:
                    message = f"the {check.kind} check has no port to ask"
                    hint = "write port: in the check"
                    yield Finding(path, message, hint, read=(*read, (*path, "address")))


def sizes(config: Config) -> Iterator[Finding]:
    """Check quorum and thresholds against what the pool can reach."""
    for name, service in config.services.items():
        place: Path = ("services", name)
        total = sum(real.weight for real in service.backends.values())
        needed = service.quorum + service.hysteresis
        if service.backends and needed > max(total, 1):
            message = f"quorum and hysteresis ask for {needed}, all weights together are {total}"
            read = ((*place, "hysteresis"), (*place, "backends"))
            yield Finding((*place, "quorum"), message, read=read)
        for backend, real in service.backends.items():
            if real.lower > real.upper:
                path = (*place, "backends", backend)
                above = f"lower is above upper {real.upper}"
                message = above if real.upper else "lower means nothing without upper"
                yield Finding((*path, "lower"), message, read=((*path, "upper"),))
