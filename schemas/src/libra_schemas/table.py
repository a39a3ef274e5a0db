"""The kernel's virtual server table as values: what IPVS holds, wants, or once held.

Units and limits are those of linux/ip_vs.h: persistence in seconds, weights 0..65535.
Rule: addresses are canonical text (`ipaddress` spelling), destinations are in canonical order,
so that equal tables are equal values, have equal JSON and equal digests.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, Literal

from libra_schemas.canonical import canonical
from libra_schemas.reading import address, field, items, number, text, word

Protocol = Literal["tcp", "udp", "sctp", "fwmark"]
Forward = Literal["nat", "dr", "tun", "local", "bypass"]
TunnelType = Literal["ipip", "gue", "gre"]
Checksum = Literal["none", "csum", "remcsum"]
Json = dict[str, Any]

PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp", "sctp", "fwmark")
FORWARDS: tuple[Forward, ...] = ("nat", "local", "tun", "dr", "bypass")
TUNNEL_TYPES: tuple[TunnelType, ...] = ("ipip", "gue", "gre")
CHECKSUMS: tuple[Checksum, ...] = ("none", "csum", "remcsum")
IPV6 = 6
MAX_PORT = 65535


@lru_cache(maxsize=65536)
def packed(address: str) -> bytes:
    """Pack canonical address text into 4 or 16 bytes; ValueError when it is no address."""
    return ip_address(address).packed


def unpacked(octets: bytes) -> str:
    """Spell 4 or 16 bytes as canonical address text."""
    if len(octets) == 4:  # noqa: PLR2004 - an IPv4 address; the formatted way is 5 times faster
        return "%d.%d.%d.%d" % tuple(octets)  # noqa: UP031 - likewise
    return str(ip_address(octets))


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """Which virtual service: protocol, address and port, or a firewall mark with a family."""

    protocol: Protocol
    address: str = ""
    port: int = 0
    fwmark: int = 0
    family: Literal[4, 6] = 4

    @classmethod
    def of(cls, protocol: Protocol, address: str, port: int) -> "ServiceKey":
        """Name a service by address (any spelling) and port; ValueError when it is no address."""
        parsed = ip_address(address)
        return cls(protocol, str(parsed), port, 0, parsed.version)

    @classmethod
    def marked(cls, fwmark: int, family: Literal[4, 6] = 4) -> "ServiceKey":
        """Name a firewall-mark service."""
        return cls("fwmark", "", 0, fwmark, family)

    def __str__(self) -> str:
        """Render as `tcp 192.0.2.10:80`, `udp [2001:db8::1]:53` or `fwmark 7` (`fwmark 7 v6`)."""
        if self.protocol == "fwmark":
            return f"fwmark {self.fwmark}" + (" v6" if self.family == IPV6 else "")
        return f"{self.protocol} {endpoint(self.address, self.port)}"


def endpoint(address: str, port: int) -> str:
    """Join address and port as `192.0.2.10:80` or `[2001:db8::1]:80`."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass(frozen=True, slots=True)
class Service:
    """A virtual service's attributes.

    *flags* are the scheduler's, by kernel name (`flag-1`, `flag-2`, `flag-3`), ascending.
    *persistence* is the timeout in seconds, 0 = none; *prefix* its granularity, 0 = whole address.
    *engine* is the persistence engine (`sip`), "" = none. *one_packet* is one-packet scheduling.
    """

    key: ServiceKey
    scheduler: str = "wlc"
    flags: tuple[str, ...] = ()
    persistence: int = 0
    prefix: int = 0
    engine: str = ""
    one_packet: bool = False


@dataclass(frozen=True, slots=True)
class Tunnel:
    """How a tunnelled destination is reached; *port* is GUE's UDP port."""

    type: TunnelType = "ipip"
    port: int = 0
    checksum: Checksum = "none"


@dataclass(frozen=True, slots=True)
class Destination:
    """A real server of one service. *tunnel* is set exactly when *forward* is `tun`."""

    address: str
    port: int
    forward: Forward = "nat"
    weight: int = 1
    upper: int = 0
    lower: int = 0
    tunnel: Tunnel | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Name this destination within its service."""
        return (self.address, self.port)

    def __str__(self) -> str:
        """Render as `10.0.1.11:80`."""
        return endpoint(self.address, self.port)


def _position(destination: Destination) -> tuple[int, bytes, int]:
    octets = packed(destination.address)
    return (len(octets), octets, destination.port)


@dataclass(frozen=True, slots=True)
class ServiceTable:
    """One service and its destinations; make it with `of`, which puts them in canonical order."""

    service: Service
    destinations: tuple[Destination, ...] = ()

    @classmethod
    def of(cls, service: Service, destinations: Iterable[Destination] = ()) -> "ServiceTable":
        """Sort by family, address, port; a repeated key keeps the last."""
        unique = {destination.key: destination for destination in destinations}
        return cls(service, tuple(sorted(unique.values(), key=_position)))

    @property
    def key(self) -> ServiceKey:
        """Name the service."""
        return self.service.key


Table = Mapping[ServiceKey, ServiceTable]
"""Everything one kernel (network namespace) holds."""


def digest(*tables: ServiceTable) -> str:
    """Hash one or several services: lowercase hex SHA-256 of their canonical JSON, any order."""
    return sha256(b"\n".join(sorted(canonical(table_to_json(t)) for t in tables))).hexdigest()


def key_to_json(key: ServiceKey) -> Json:
    """Say which service: `{protocol, address, port}` or `{protocol: fwmark, fwmark, family}`."""
    if key.protocol == "fwmark":
        return {"protocol": "fwmark", "fwmark": key.fwmark, "family": key.family}
    return {"protocol": key.protocol, "address": key.address, "port": key.port}


def key_from_json(value: Any) -> ServiceKey:
    """Read `key_to_json`'s form; raise MalformedTable."""
    protocol = word(value, "protocol", PROTOCOLS)
    if protocol == "fwmark":
        family: Literal[4, 6] = 6 if number(value, "family", 4) == IPV6 else 4
        return ServiceKey.marked(number(value, "fwmark", maximum=2**32 - 1), family)
    return ServiceKey.of(protocol, address(value), number(value, "port", maximum=MAX_PORT))


def service_to_json(service: Service) -> Json:
    """Say a service's key and attributes."""
    return {
        "key": key_to_json(service.key),
        "scheduler": service.scheduler,
        "flags": list(service.flags),
        "persistence": service.persistence,
        "prefix": service.prefix,
        "engine": service.engine,
        "one_packet": service.one_packet,
    }


def service_from_json(value: Any) -> Service:
    """Read `service_to_json`'s form; raise MalformedTable."""
    return Service(
        key=key_from_json(field(value, "key")),
        scheduler=text(value, "scheduler"),
        flags=tuple(sorted(str(flag) for flag in items(value, "flags"))),
        persistence=number(value, "persistence", 0),
        prefix=number(value, "prefix", 0, maximum=128),
        engine=text(value, "engine", ""),
        one_packet=bool(value.get("one_packet", False)),
    )


def destination_to_json(destination: Destination) -> Json:
    """Say a real server's address and attributes."""
    tunnel = destination.tunnel
    return {
        "address": destination.address,
        "port": destination.port,
        "forward": destination.forward,
        "weight": destination.weight,
        "upper": destination.upper,
        "lower": destination.lower,
        "tunnel": tunnel
        and {"type": tunnel.type, "port": tunnel.port, "checksum": tunnel.checksum},
    }


def destination_from_json(value: Any) -> Destination:
    """Read `destination_to_json`'s form; raise MalformedTable."""
    forward = word(value, "forward", FORWARDS)
    return Destination(
        address=address(value),
        port=number(value, "port", maximum=MAX_PORT),
        forward=forward,
        weight=number(value, "weight", 1),
        upper=number(value, "upper", 0),
        lower=number(value, "lower", 0),
        tunnel=_tunnel(value.get("tunnel") or {}) if forward == "tun" else None,
    )


def table_to_json(table: ServiceTable) -> Json:
    """Say one service with its destinations."""
    return {
        "service": service_to_json(table.service),
        "destinations": [destination_to_json(each) for each in table.destinations],
    }


def table_from_json(value: Any) -> ServiceTable:
    """Read `table_to_json`'s form; raise MalformedTable."""
    service = service_from_json(field(value, "service"))
    return ServiceTable.of(service, map(destination_from_json, items(value, "destinations")))


def _tunnel(value: Any) -> Tunnel:
    return Tunnel(
        type=word(value, "type", TUNNEL_TYPES, "ipip"),
        port=number(value, "port", 0, maximum=MAX_PORT),
        checksum=word(value, "checksum", CHECKSUMS, "none"),
    )
