"""Pools: real servers that the kernel can reach as asked, and that somebody checks."""

from collections.abc import Iterator

from libra_schemas.config import Config, Endpoint, ServiceConfig
from libra_schemas.config.service import Forward
from libra_schemas.places import Finding, Path
from libra_schemas.rules.services import family_of

_WITH_PORT = frozenset({"tcp", "http"})
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"}
)

Member = tuple[Path, Endpoint, Forward]


def _members(config: Config) -> Iterator[tuple[ServiceConfig, Member]]:
    """Give every real server and sorry server with its service."""
    for name, service in config.services.items():
        for backend, real in service.backends.items():
            path: Path = ("services", name, "backends", backend)
            yield service, (path, real.address, service.forward_of(real))
        if service.sorry is not None:
            forward = service.sorry.forward or service.forward
            yield service, (("services", name, "sorry"), service.sorry.address, forward)


def reachable(config: Config) -> Iterator[Finding]:
    """Check families (only tunnels may mix them) and that no server stands in a pool twice."""
    seen: dict[tuple[str, Endpoint], str] = {}
    for service, (path, endpoint, forward) in _members(config):
        family = family_of(service)
        if forward != "tun" and endpoint.address.version != family:
            yield Finding(
                path,
                f"{endpoint.address} is no IPv{family} address as its service's",
                "only forward: tun may mix families",
            )
        first = seen.setdefault((str(path[1]), endpoint), str(path[-1]))
        if first != path[-1]:
            yield Finding(path, f"{first} has the address {endpoint} already")


def ports(config: Config) -> Iterator[Finding]:
    """Check ports: direct routing and tunnels cannot translate them."""
    for service, (path, endpoint, forward) in _members(config):
        message, hint = _port_problem(service, endpoint, forward)
        if message:
            yield Finding(path, message, hint)


def _port_problem(service: ServiceConfig, endpoint: Endpoint, forward: Forward) -> tuple[str, str]:
    wanted = service.address.port if service.address is not None else 0
    whole = service.address is None or wanted == 0
    if whole and forward == "nat":
        return "", ""
    if whole and endpoint.port:
        return f"a port cannot be translated by forward: {forward}", "leave the port out"
    if whole or endpoint.port == wanted:
        return "", ""
    if not endpoint.port:
        return "a port is missing", f"write {Endpoint(endpoint.address, wanted)}"
    if forward == "nat":
        return "", ""
    return f"forward: {forward} keeps port {wanted}", "give the same port or use forward: nat"


def checked(config: Config) -> Iterator[Finding]:
    """Check that somebody tells whether each real server is up, and where to ask it."""
    for name, service in config.services.items():
        for backend, real in service.backends.items():
            path: Path = ("services", name, "backends", backend)
            checks = service.checks_of(real)
            if not checks and not service.assume_up:
                yield Finding(
                    path,
                    "nothing checks this backend",
                    "give it or its service a check such as icmp, or assume_up: true",
                )
            for check in checks:
                if check.kind in _WITH_PORT and not (check.port or real.address.port):
                    message = f"the {check.kind} check has no port to ask"
                    yield Finding(path, message, "write port: in the check")


def sizes(config: Config) -> Iterator[Finding]:
    """Check quorum and thresholds against what the pool can reach."""
    for name, service in config.services.items():
        total = sum(real.weight for real in service.backends.values())
        needed = service.quorum + service.hysteresis
        if service.backends and needed > max(total, 1):
            message = f"quorum and hysteresis ask for {needed}, all weights together are {total}"
            yield Finding(("services", name, "quorum"), message)
        for backend, real in service.backends.items():
            if real.lower > real.upper:
                path: Path = ("services", name, "backends", backend, "lower")
                above = f"lower is above upper {real.upper}"
                yield Finding(path, above if real.upper else "lower means nothing without upper")


def secret_headers(config: Config) -> Iterator[Finding]:
    """Refuse headers whose value is a secret."""
    for name, service in config.services.items():
        found = [check for real in service.backends.values() for check in service.checks_of(real)]
        headers = {header for check in found if check.http for header in check.http.headers}
        for header in sorted(headers):
            if header.lower() in _SECRET_HEADERS:
                message = f"header {header} holds a secret, and a secret is never a value"
                yield Finding(("services", name), message, "ask a page that needs none")
