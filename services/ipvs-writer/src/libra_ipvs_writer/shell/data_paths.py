"""Verifies that the host lets in what answers probes through IPVS; nothing is set."""

from collections.abc import Iterator

from libra_ipvs_writer.packet_filter.answers import IPAddress
from libra_ipvs_writer.returning import doors, real_servers
from libra_ipvs_writer.shell import sysctls
from libra_ipvs_writer.shell.forward import UNREADABLE
from libra_ipvs_writer.shell.inquiry import ROUTE, Inquiry
from libra_ipvs_writer.shell.paths import links, paths
from libra_schemas.intent.prepared import Prepared

STRICT = 1
WHY = "Without that the master hears no answer to checks with data_path."


def troubles(prepared: Prepared) -> list[str]:
    """Say in a sentence each what keeps answers out; nothing where the routes cannot be read."""
    asked = real_servers(prepared)
    if not asked:
        return []
    try:
        interfaces = _interfaces(asked)
    except UNREADABLE:
        return []
    found = doors(prepared, interfaces)
    return [f"{wrong} {WHY}" for each in sorted(found) for wrong in _wrong(each, found[each])]


def _interfaces(asked: tuple[IPAddress, ...]) -> dict[IPAddress, str]:
    with Inquiry(ROUTE) as inquiry:
        ways = paths(inquiry, asked, links(inquiry))
    return {real: way.interface for real, way in ways.items() if way.interface is not None}


def _wrong(interface: str, elsewhere: bool) -> Iterator[sysctls.WrongValue]:  # noqa: FBT001 - a fact
    if not _strongest("accept_local", interface):
        yield _value("accept_local", interface, "1")
    if elsewhere and _strongest("rp_filter", interface) == STRICT:
        yield _value("rp_filter", interface, "2")


def _strongest(name: str, interface: str) -> int:
    """Give the value that holds: the larger of all interfaces' and this one's (ip-sysctl)."""
    found = (sysctls.read(_named(name, where)) for where in ("all", interface))
    return max(int(value) if value and value.isdecimal() else 0 for value in found)


def _value(name: str, interface: str, wanted: str) -> sysctls.WrongValue:
    named = _named(name, interface)
    return sysctls.WrongValue(named, wanted, sysctls.read(named))


def _named(name: str, interface: str) -> str:
    """Name a sysctl of an interface; a dot in the interface's name is a slash (sysctl(8))."""
    return f"net.ipv4.conf.{interface.replace('.', '/')}.{name}"
