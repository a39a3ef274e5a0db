"""How answers to probes through IPVS come back: with a virtual address as their source.

Where that address is the host's own, the kernel drops them but for `accept_local` on the interface
they come in by; a strict `rp_filter` drops them where the address is on another interface
(fib_validate_source, linux/net/ipv4/fib_frontend.c; IPv6 knows neither).
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from libra_ipvs_writer.packet_filter.answers import IPAddress
from libra_schemas.config import AddressElsewhere, Config
from libra_schemas.config.instance import virtual_address
from libra_schemas.intent.prepared import DataPath, Prepared

IPV4 = 4


def real_servers(prepared: Prepared) -> tuple[IPAddress, ...]:
    """List the real servers that answer probes from an IPv4 virtual address, each once."""
    return tuple(dict.fromkeys(real for _, real in _answering(prepared)))


def doors(prepared: Prepared, interfaces: Mapping[IPAddress, str]) -> dict[str, bool]:
    """Tell where answers come in, and whether a virtual address of theirs is elsewhere.

    *interfaces*: the one of the route to each real server, as far as it is known.
    """
    homes = dict(_homes(prepared.config, prepared.node))
    found: dict[str, bool] = {}
    for path, real in _answering(prepared):
        service = prepared.config.services[path.service].address
        home = homes.get(service.address) if service else None
        if (interface := interfaces.get(real)) is not None:
            elsewhere = home is not None and home != interface
            found[interface] = found.get(interface, False) or elsewhere
    return found


def _answering(prepared: Prepared) -> Iterator[tuple[DataPath, IPAddress]]:
    for path in prepared.paths.values():
        for real in path.table.destinations if path.table.key.family == IPV4 else ():
            yield path, ip_address(real.address)


def _homes(config: Config, node: str) -> Iterator[tuple[IPAddress, str]]:
    """Tell which interface of *node* each virtual address is on; "" for that of a virtual MAC."""
    for instance in config.instances.values():
        for written in (*instance.addresses, *instance.excluded):
            named = written.interface if isinstance(written, AddressElsewhere) else None
            own = "" if instance.vmac else instance.interface_on(node)
            if (interface := named or own) is not None:
                yield virtual_address(written), interface
