"""Checks through IPVS: of what they can see, and that they leave from an address of the node."""

from collections.abc import Iterator

from libra_schemas.config import BackendConfig, CheckConfig, Config, ServiceConfig
from libra_schemas.marks import asked_through, is_private, taken_marks
from libra_schemas.places import Finding, Path
from libra_schemas.rules.checks import listed
from libra_schemas.rules.pools import WITH_PORT

_BESIDE = {
    "address": "a probe through IPVS goes to the service's own address",
    "fwmark": "a probe through IPVS carries a mark of its own",
    "interface": "a probe through IPVS leaves as its clients' packets do",
}
"""Keys of a check that a probe through IPVS cannot have, and why."""

_Asked = tuple[Path, ServiceConfig, CheckConfig, tuple[BackendConfig, ...]]


def _asked(config: Config) -> Iterator[_Asked]:
    """Give every check with `data_path`, its place, and the backends it is for."""
    for name, service in config.services.items():
        place: Path = ("services", name)
        reals = tuple(service.backends.values())
        heirs = tuple(real for real in reals if real.check is None)
        for path, check in listed((*place, "check"), service.check):
            if check.data_path:
                yield path, service, check, heirs
        for backend, real in service.backends.items():
            for path, check in listed((*place, "backends", backend, "check"), real.check):
                if check.data_path:
                    yield path, service, check, (real,)


def possible(config: Config) -> Iterator[Finding]:
    """Check that a probe through IPVS has where to go, and shows more than one beside it."""
    for path, service, check, reals in _asked(config):
        place, home = (*path, "data_path"), path[:2]
        if service.address is None and service.fwmark is not None:
            message = "a service that is found by mark has no address to probe"
            yield Finding(place, message, "leave it out", read=((*home, "fwmark"),))
        if any(service.forward_of(real) == "nat" for real in reals):
            message = "through nat a probe sees what it sees without: its answers come back"
            message += " to the director's own address, whatever way clients' answers take"
            read = ((*home, "forward"), (*home, "backends"))
            hint = "leave it out, or use forward: dr or tun"
            yield Finding(place, message, hint, read=read)
        for kind in check.kinds:
            if kind not in WITH_PORT:
                yield Finding(place, f"a check {kind} asks no port of the service", "leave it out")


def beside(config: Config) -> Iterator[Finding]:
    """Check that nothing in the check leads a probe elsewhere than through IPVS."""
    for path, service, check, _ in _asked(config):
        for key, message in _BESIDE.items():
            if getattr(check, key) is not None:
                yield Finding((*path, key), message, "leave it out", read=((*path, "data_path"),))
        own = service.address.port if service.address is not None else 0
        if own and check.port not in {None, own}:
            message = f"a probe through IPVS goes to the service's own port {own}"
            read = ((*path, "data_path"), (*path[:2], "address"))
            yield Finding((*path, "port"), message, "leave it out", read=read)


def origins(config: Config) -> Iterator[Finding]:
    """Check that each node has an address that answers of the service can come back to."""
    for path, service, check, _ in _asked(config):
        virtual = service.address.address if service.address is not None else None
        for node, director in config.nodes.items() if virtual is not None else ():
            origin = check.bind_of(node) or director.address
            place = (*path, "bind" if check.bind_of(node) else "data_path")
            read = (("nodes", node), (*path, "bind"), (*path[:2], "address"))
            if virtual is not None and origin.version != virtual.version:
                message = f"node {node} would probe {virtual} from {origin}, of another family"
                hint = f"write bind: {{{node}: ADDRESS}} with an IPv{virtual.version} address of it"
                yield Finding(place, message, hint, read=read)
            elif origin == virtual:
                message = "answers to a virtual address come back to who owns it"
                yield Finding(place, message, "write an address of the node itself", read=read)


def marks(config: Config) -> Iterator[Finding]:
    """Check that the range of marks has one for every backend that is probed through IPVS."""
    needed = sum(1 for _ in asked_through(config)) + len(taken_marks(config))
    if needed > config.ipvs.mark_range.size:
        message = f"{config.ipvs.mark_range.size} marks are too few: {needed} are needed"
        yield Finding(("ipvs", "marks"), message, "write fewer bits", read=(("services",),))


def names(config: Config) -> Iterator[Finding]:
    """Keep the names free that the services of marks have in the log."""
    for name in config.services:
        if is_private(name):
            message = f"the name {name!r} is reserved for a data path"
            yield Finding(("services", name), message, "rename it", on_key=True)
