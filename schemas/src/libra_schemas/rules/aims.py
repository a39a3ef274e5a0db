"""Checks: aimed at what can answer, by a way that is there."""

from collections.abc import Iterator

from libra_schemas.config import CheckConfig, Config
from libra_schemas.model import Address
from libra_schemas.places import Finding, Path
from libra_schemas.rules.checks import listed, written


def hosts(config: Config) -> Iterator[Finding]:
    """Check that the address of a backend, and of a check, is one host's."""
    for name, service in config.services.items():
        for backend, real in service.backends.items():
            if message := _no_host(real.address.address):
                place = ("services", name, "backends", backend, "address")
                yield Finding(place, message, "write the address of the backend itself")
    for path, check in written(config):
        if check.address is not None and (message := _no_host(check.address)):
            hint = "write the address of the host to probe"
            yield Finding((*path, "address"), message, hint)


def _no_host(address: Address) -> str:
    if getattr(address, "scope_id", None):
        return f"{address} has a zone, which is another interface on each node"
    if address.is_unspecified:
        return f"{address} is no host: a probe of it would reach the director itself"
    if address.is_multicast:
        return f"{address} is a multicast group, no host"
    return f"{address} is every host of the link" if str(address) == "255.255.255.255" else ""


def unheeded_ports(config: Config) -> Iterator[Finding]:
    """Check that no port is named where none is asked."""
    for path, check in written(config):
        if check.icmp is not None and check.port is not None:
            read = ((*path, "icmp"),)
            yield Finding((*path, "port"), "icmp asks no port", "leave it out", read=read)


def origins(config: Config) -> Iterator[Finding]:
    """Check that `bind` and `interface` name every node, where they name some, and no other."""
    for path, check in written(config):
        for key in ("bind", "interface"):
            said = getattr(check, key)
            if not isinstance(said, dict):
                continue
            place = (*path, key)
            for node in said.keys() - config.nodes.keys():
                hint = f"the nodes are {', '.join(config.nodes)}"
                message, read = f"there is no node {node}", (("nodes",),)
                yield Finding((*place, node), message, hint, on_key=True, read=read)
            missing = ", ".join(node for node in config.nodes if node not in said)
            if missing and not check.data_path:
                message = f"says nothing of {missing}, which would probe from anywhere"
                hint = f"add {missing.split(', ', maxsplit=1)[0]}: ..., or write one for all nodes"
                yield Finding(place, message, hint, read=(("nodes",), (*path, "data_path")))


def families(config: Config) -> Iterator[Finding]:
    """Check that a probe leaves from an address of the family that it goes to."""
    said: set[Path] = set()
    for path, check, address, read in _aims(config):
        binds = check.bind if isinstance(check.bind, dict) else {"": check.bind}
        for node, bind in binds.items():
            place = (*path, "bind", node) if node else (*path, "bind")
            if bind is None or bind.version == address.version or place in said:
                continue
            said.add(place)
            message = f"{address}, which is probed, is no IPv{bind.version} address"
            hint = f"write an IPv{address.version} address of the node, or a check for each family"
            yield Finding(place, message, hint, read=(read, (*path, "address")))


def _aims(config: Config) -> Iterator[tuple[Path, CheckConfig, Address, Path]]:
    """Give every check that goes straight, what it goes to, and where that is written."""
    for name, service in config.services.items():
        for backend, real in service.backends.items():
            home: Path = ("services", name)
            own: Path = (*home, "backends", backend)
            place = home if real.check is None else own
            checks = service.check if real.check is None else real.check
            for path, check in listed((*place, "check"), checks):
                if not check.data_path and set(check.kinds) - {"file"}:
                    yield path, check, check.address or real.address.address, (*own, "address")
