"""A table as `ipvsadm -Sn` prints it, line for line (ipvsadm 1.31).

Rule: ipvsadm sorts services (mark, family, protocol, address, port) and destinations (address,
port) itself, comparing 32-bit words by signed difference; so does this module. Thresholds are
not part of ipvsadm's rules.
"""

from collections.abc import Iterable
from functools import cmp_to_key
from ipaddress import IPv4Address

from libra_schemas.table import (
    Destination,
    Service,
    ServiceKey,
    ServiceTable,
    Table,
    Tunnel,
    packed,
)

_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "fwmark": 0}
_OPTIONS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}
_FORWARDS = {"nat": "-m", "tun": "-i", "dr": "-g", "local": "-g"}
_CHECKSUMS = {"none": "--tun-nocsum", "csum": "--tun-csum", "remcsum": "--tun-remcsum"}
_FLAGS = {
    "sh": {"flag-1": "sh-fallback", "flag-2": "sh-port"},
    "mh": {"flag-1": "mh-fallback", "flag-2": "mh-port"},
}
_WORDS = 4


def render(table: Table) -> str:
    """Print *table* as `ipvsadm -Sn` does; "" for an empty one."""
    ordered = sorted(table.values(), key=cmp_to_key(_compare_services))
    return "".join(f"{line}\n" for each in ordered for line in _lines(each))


def _lines(table: ServiceTable) -> Iterable[str]:
    name = _service_name(table.key)
    yield f"-A {name} -s {table.service.scheduler}{_attributes(table.service)}"
    for each in sorted(table.destinations, key=cmp_to_key(_compare_destinations)):
        yield f"-a {name} -r {_endpoint(each.address, each.port)} {_real_server(each)}"


def _service_name(key: ServiceKey) -> str:
    if key.protocol == "fwmark":
        return f"-f {_signed(key.fwmark)}" + (" -6" if key.family == 6 else "")  # noqa: PLR2004 - IPv6
    return f"{_OPTIONS[key.protocol]} {_endpoint(key.address, key.port)}"


def _attributes(service: Service) -> str:
    words = ""
    if service.persistence:
        words += f" -p {service.persistence}"
        words += f" -M {_mask(service)}" if service.prefix else ""
    words += f" --pe {service.engine}" if service.engine else ""
    words += " -o" if service.one_packet else ""
    return words + (f" -b {_flags(service)}" if service.flags else "")


def _flags(service: Service) -> str:
    """Name the scheduler's flags; those that sh and mh have no name for are left out."""
    names = _FLAGS.get(service.scheduler) or {flag: flag for flag in service.flags}
    return ",".join(names[flag] for flag in service.flags if flag in names)


def _mask(service: Service) -> str:
    if service.key.family == 4:  # noqa: PLR2004 - IPv4: dotted, IPv6: the length
        return str(IPv4Address((0xFFFFFFFF << (32 - service.prefix)) & 0xFFFFFFFF))
    return str(service.prefix)


def _real_server(destination: Destination) -> str:
    forward = _FORWARDS.get(destination.forward, "(null)")
    return f"{forward} -w {destination.weight}" + _tunnel(destination.tunnel)


def _tunnel(tunnel: Tunnel | None) -> str:
    if tunnel is None:
        return ""
    match tunnel.type:
        case "ipip":
            return " --tun-type ipip"
        case "gue":
            checksum = _CHECKSUMS[tunnel.checksum]
            return f" --tun-type gue --tun-port {tunnel.port} {checksum}"
        case "gre":
            return f" --tun-type gre {_CHECKSUMS[tunnel.checksum]}"


def _endpoint(address: str, port: int) -> str:
    return f"[{_inet_ntop(address)}]:{port}" if ":" in address else f"{address}:{port}"


def _inet_ntop(address: str) -> str:
    """Spell an IPv6 address as the C library does: embedded IPv4 addresses stay dotted."""
    octets = packed(address)
    mapped = octets.startswith(bytes(10) + b"\xff\xff")
    compatible = octets.startswith(bytes(12)) and octets[12:14] != bytes(2)
    if not (mapped or compatible):
        return address
    return ("::ffff:" if mapped else "::") + str(IPv4Address(octets[12:]))


def _signed(difference: int) -> int:
    return (difference + 2**31) % 2**32 - 2**31


def _words(address: str) -> list[int]:
    octets = packed(address or "0.0.0.0").ljust(4 * _WORDS, b"\0")
    return [int.from_bytes(octets[at : at + 4], "big") for at in range(0, 4 * _WORDS, 4)]


def _compare_addresses(one: str, other: str) -> int:
    """Compare word by word while the first is IPv6, else the first words alone."""
    words = _WORDS if ":" in one else 1
    pairs = zip(_words(one)[:words], _words(other), strict=False)
    return next((_signed(a - b) for a, b in pairs if a != b), 0)


def _compare_services(one: ServiceTable, other: ServiceTable) -> int:
    a, b = one.key, other.key
    return (
        _signed(a.fwmark - b.fwmark)
        or a.family - b.family
        or _PROTOCOLS[a.protocol] - _PROTOCOLS[b.protocol]
        or _compare_addresses(a.address, b.address)
        or a.port - b.port
    )


def _compare_destinations(one: Destination, other: Destination) -> int:
    families = (":" in one.address) - (":" in other.address)
    return families or _compare_addresses(one.address, other.address) or one.port - other.port
