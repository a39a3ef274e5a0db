"""The kernel's sync daemons and connection timeouts <-> bytes (linux/ip_vs.h).

Rule: 0 and "" mean the kernel's default and are not sent; what the kernel answers is complete.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

from libra_ipvs_writer import header as h
from libra_ipvs_writer.netlink import (
    GENERIC,
    U16,
    U32,
    MalformedMessage,
    attribute,
    attributes,
    generic,
    inside,
    name,
    nested,
    sized,
    u16,
    u32,
)

Role = Literal["master", "backup"]
STATES: dict[Role, int] = {"master": 1, "backup": 2}
ROLES = {state: role for role, state in STATES.items()}


@dataclass(frozen=True, slots=True)
class Daemon:
    """One sync daemon: *maxlen* in bytes of UDP payload, *group* a multicast group."""

    role: Role
    interface: str
    syncid: int = 0
    maxlen: int = 0
    group: str = ""
    port: int = 0
    ttl: int = 0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Connection timeouts in seconds (`ipvsadm --set`)."""

    tcp: int
    tcp_fin: int
    udp: int


def start_daemon(daemon: Daemon) -> bytes:
    """Ask to start a sync daemon."""
    parts = [
        attribute(h.DAEMON_STATE, U32.pack(STATES[daemon.role])),
        attribute(h.DAEMON_INTERFACE, daemon.interface.encode() + b"\0"),
        attribute(h.DAEMON_SYNCID, U32.pack(daemon.syncid)),
    ]
    if daemon.maxlen:
        parts.append(attribute(h.DAEMON_MAXLEN, U16.pack(daemon.maxlen)))
    if daemon.group:
        group = ip_address(daemon.group)
        kind = h.DAEMON_GROUP if isinstance(group, IPv4Address) else h.DAEMON_GROUP6
        parts.append(attribute(kind, group.packed))
    if daemon.port:
        parts.append(attribute(h.DAEMON_PORT, U16.pack(daemon.port)))
    if daemon.ttl:
        parts.append(attribute(h.DAEMON_TTL, bytes([daemon.ttl])))
    return generic(h.NEW_DAEMON, h.VERSION, nested(h.CMD_ATTR_DAEMON, *parts))


def stop_daemon(role: Role) -> bytes:
    """Ask to stop the sync daemon of a role."""
    parts = (
        attribute(h.DAEMON_STATE, U32.pack(STATES[role])),
        attribute(h.DAEMON_INTERFACE, b"\0"),
        attribute(h.DAEMON_SYNCID, U32.pack(0)),
    )
    return generic(h.DEL_DAEMON, h.VERSION, nested(h.CMD_ATTR_DAEMON, *parts))


def list_daemons() -> bytes:
    """Ask for the running sync daemons (a dump)."""
    return generic(h.GET_DAEMON, h.VERSION)


def decode_daemon(payload: bytes) -> Daemon:
    """Read one daemon out of an answer to `list_daemons`."""
    found = inside(payload, h.CMD_ATTR_DAEMON)
    role = ROLES.get(u32(found, h.DAEMON_STATE))
    if role is None:
        raise MalformedMessage("the sync daemon is neither master nor backup")
    return Daemon(
        role=role,
        interface=name(found, h.DAEMON_INTERFACE),
        syncid=u32(found, h.DAEMON_SYNCID),
        maxlen=u16(found, h.DAEMON_MAXLEN) if h.DAEMON_MAXLEN in found else 0,
        group=_group(found),
        port=u16(found, h.DAEMON_PORT) if h.DAEMON_PORT in found else 0,
        ttl=sized(found, h.DAEMON_TTL, 1)[0] if h.DAEMON_TTL in found else 0,
    )


def _group(found: dict[int, bytes]) -> str:
    if h.DAEMON_GROUP6 in found:
        return str(IPv6Address(sized(found, h.DAEMON_GROUP6, 16)))
    if h.DAEMON_GROUP in found:
        return str(IPv4Address(sized(found, h.DAEMON_GROUP, 4)))
    return ""


def set_timeouts(timeouts: Timeouts) -> bytes:
    """Ask to set the connection timeouts."""
    return generic(
        h.SET_CONFIG,
        h.VERSION,
        attribute(h.CMD_ATTR_TCP, U32.pack(timeouts.tcp)),
        attribute(h.CMD_ATTR_TCP_FIN, U32.pack(timeouts.tcp_fin)),
        attribute(h.CMD_ATTR_UDP, U32.pack(timeouts.udp)),
    )


def get_timeouts() -> bytes:
    """Ask for the connection timeouts."""
    return generic(h.GET_CONFIG, h.VERSION)


def decode_timeouts(payload: bytes) -> Timeouts:
    """Read the answer to `get_timeouts`."""
    found = attributes(payload[GENERIC.size :])
    return Timeouts(
        u32(found, h.CMD_ATTR_TCP), u32(found, h.CMD_ATTR_TCP_FIN), u32(found, h.CMD_ATTR_UDP)
    )
