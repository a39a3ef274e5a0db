"""Virtual services by themselves: none twice, options that fit each other."""

from collections.abc import Iterator
from ipaddress import IPv6Address

from libra_schemas.config import Config, ServiceConfig
from libra_schemas.model import Address
from libra_schemas.places import STRANGER, Finding, Path

_KEY = ("address", "fwmark", "family", "protocol")
"""What makes a service one entry of the kernel's table."""

IPV4 = 4
IPV4_BITS = 32
LONGEST = 0x7FFFFFFF // 1000
"""Seconds: the kernel keeps timeouts in ticks of up to 1,000 a second (ip_vs_ctl.c)."""


def family_of(service: ServiceConfig) -> int | None:
    """Tell the address family of *service*: 4, 6, or None where it has no address of its own."""
    if service.address is not None:
        return service.address.address.version
    return (6 if service.family == "ipv6" else IPV4) if service.fwmark is not None else None


def takes(service: ServiceConfig) -> int | None:
    """Tell the port that *service* takes: 0 for every one, None where it does not say."""
    if service.address is None:
        return 0 if service.fwmark is not None else None
    return service.address.port or (0 if service.persistence else None)


def meant_port(address: Address) -> str:
    """Tell how an IPv6 address is written that may have its port at its end, "" for others."""
    head, _, last = str(address).rpartition(":")
    if not (isinstance(address, IPv6Address) and last.isdecimal()):
        return ""
    try:
        return f"[{IPv6Address(head)}]:{last}, or [{address}] with a port"
    except ValueError:
        return ""


def named(config: Config) -> Iterator[Finding]:
    """Check that a service is found by an address and port, or by a firewall mark."""
    for name, service in config.services.items():
        path: Path = ("services", name)
        address, mark = (*path, "address"), (*path, "fwmark")
        if (service.address is None) == (service.fwmark is None):
            read: tuple[Path, ...] = (address, mark, (*path, STRANGER))
            yield Finding(path, "name either address or fwmark", read=read)
        if service.address is not None and takes(service) is None:
            read = ((*path, "persistence"),)
            hint = "a bare address is every port, which takes persistence"
            if meant := meant_port(service.address.address):
                hint = f"write {meant}"
            yield Finding(address, "a port is missing", hint, read=read)


def twice(config: Config) -> Iterator[Finding]:
    """Tell two services that would be one entry of the kernel's table."""
    owners: dict[object, str] = {}
    for name, service in config.services.items():
        marked = service.fwmark is not None
        key = (service.fwmark, service.family) if marked else (service.address, service.protocol)
        first = owners.setdefault(key, name)
        if first != name and (marked or service.address is not None):
            what = f"mark {service.fwmark}" if marked else f"{service.protocol} {service.address}"
            read = tuple(("services", each, part) for each in (name, first) for part in _KEY)
            place = ("services", name, "fwmark" if marked else "address")
            yield Finding(place, f"service {first} is {what} already", read=read)


def options(config: Config) -> Iterator[Finding]:
    """Check options that only make sense together."""
    for name, service in config.services.items():
        path: Path = ("services", name)
        yield from _persistence(path, service)
        yield from _scheduler_flags(path, service)
        if service.family == "ipv6" and family_of(service) == IPV4:
            read = ((*path, "address"),)
            yield Finding((*path, "family"), "family is for fwmark only", "leave it out", read=read)
        if service.hysteresis >= service.quorum:
            read = ((*path, "quorum"),)
            yield Finding((*path, "hysteresis"), "must be smaller than quorum", read=read)
        if service.one_packet and service.protocol != "udp":
            read = ((*path, "protocol"),)
            yield Finding((*path, "one_packet"), "is for protocol: udp only", read=read)


def _persistence(path: Path, service: ServiceConfig) -> Iterator[Finding]:
    if service.persistence != int(service.persistence):
        yield Finding((*path, "persistence"), "the kernel counts persistence in whole seconds")
    if service.persistence > LONGEST:
        yield Finding((*path, "persistence"), "the kernel remembers for 24 days at most")
    if service.persistence_prefix is None:
        return
    place = (*path, "persistence_prefix")
    if not service.persistence:
        message = "means nothing without persistence"
        yield Finding(place, message, read=((*path, "persistence"),))
    if family_of(service) == IPV4 and service.persistence_prefix > IPV4_BITS:
        read = ((*path, "address"), (*path, "family"))
        yield Finding(place, "an IPv4 prefix has at most 32 bits", read=read)


def _scheduler_flags(path: Path, service: ServiceConfig) -> Iterator[Finding]:
    for index, flag in enumerate(service.flags):
        scheduler, _, rest = flag.partition("-")
        if rest in {"port", "fallback"} and scheduler != service.scheduler:
            message = f"{flag} is a flag of scheduler {scheduler}, not {service.scheduler}"
            yield Finding((*path, "flags", index), message, read=((*path, "scheduler"),))
