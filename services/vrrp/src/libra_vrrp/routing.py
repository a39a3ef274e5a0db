"""Virtual routes and rules <-> rtnetlink bytes (linux/rtnetlink.h, linux/fib_rules.h).

One rule: what is ours bears `PROTOCOL`, and nothing else is ever removed.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Final, TypeAlias

from libra_vrrp.netlink import (
    ACK,
    CREATE,
    DUMP,
    EXCLUSIVE,
    REQUEST,
    attribute,
    attributes,
    message,
    messages,
)
from libra_vrrp.rtnetlink import FAMILY_OF, IpAddress

IpNetwork: TypeAlias = IPv4Network | IPv6Network

PROTOCOL: Final = 112
"""Who made a route or rule, as `ip route show proto 112` has it: the number of VRRP itself."""
MAIN: Final = 254
"""The table that the kernel's own rules look into (RT_TABLE_MAIN)."""

_BODY: Final = struct.Struct("=BBBBBBBBI")
"""struct rtmsg, and struct fib_rule_hdr: the same octets under two names."""
_NUMBER: Final = struct.Struct("=I")
_LARGEST, _COMPAT = 0xFF, 252
"""The largest table that fits an octet, and RT_TABLE_COMPAT."""

_ONLINK: Final = 4
_DST, _SRC, _OIF, _GATEWAY, _PRIORITY, _PREFSRC, _TABLE = 1, 2, 4, 5, 6, 7, 15
_TO, _FROM, _IIF, _PREFERENCE, _MARK, _MASK, _OUT, _BY = 1, 2, 3, 6, 10, 16, 17, 21
"""Attributes of a route (RTA_*) and of a rule (FRA_*); both have the table as 15."""


class Kind(IntEnum):
    """What the kernel is asked for: RTM_NEWROUTE, RTM_NEWRULE; one more removes, two more lists."""

    ROUTE = 24
    RULE = 32


class Fate(IntEnum):
    """What becomes of a packet (RTN_*, FR_ACT_*); a rule forwards by looking into its table."""

    FORWARD = 1
    BLACKHOLE = 6
    UNREACHABLE = 7
    PROHIBIT = 8


class Scope(IntEnum):
    """How far away an IPv4 destination is (RT_SCOPE_*)."""

    GLOBAL = 0
    LINK = 253
    HOST = 254


@dataclass(frozen=True, slots=True)
class Route:
    """A route that goes with the addresses; without a `device` the kernel finds it by `via`.

    Without a `scope` it has the one that `ip route` would choose; a `metric` of 0 is the kernel's.
    """

    to: IpNetwork
    device: str | None = None
    via: IpAddress | None = None
    source: IpAddress | None = None
    table: int = MAIN
    metric: int = 0
    scope: Scope | None = None
    onlink: bool = False
    fate: Fate = Fate.FORWARD


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that goes with the addresses; `mark` is a value and its mask.

    The `table` is looked into where the fate is to forward.
    """

    family: int
    priority: int
    source: IpNetwork | None = None
    destination: IpNetwork | None = None
    into: str | None = None
    out: str | None = None
    mark: tuple[int, int] | None = None
    table: int = MAIN
    fate: Fate = Fate.FORWARD


@dataclass(frozen=True, slots=True)
class Entry:
    """A route or rule as the kernel is asked for it; `said` is what people call it.

    `device` is the index of the interface that it goes with, 0 where it names none.
    """

    kind: Kind
    body: bytes
    said: str = field(default="", compare=False)
    device: int = field(default=0, compare=False)


def route(one: Route, index: int) -> Entry:
    """Return what to ask for; `index` is its device's, 0 where it has none."""
    four = one.to.version == 4  # noqa: PLR2004 - IPv4
    scope = one.scope
    if scope is None:
        is_near = four and one.via is None and one.fate is Fate.FORWARD
        scope = Scope.LINK if is_near else Scope.GLOBAL
    head = FAMILY_OF[one.to.version], one.to.prefixlen, 0, 0, _octet(one.table)
    flags = _ONLINK if one.onlink else 0
    body = _BODY.pack(*head, PROTOCOL, scope, one.fate, flags)
    body += _network(_DST, one.to) + _of(_TABLE, one.table)
    body += b"" if one.via is None else attribute(_GATEWAY, one.via.packed)
    body += b"" if not index else _of(_OIF, index)
    body += b"" if one.source is None else attribute(_PREFSRC, one.source.packed)
    body += b"" if not one.metric else _of(_PRIORITY, one.metric)
    return Entry(Kind.ROUTE, body, _route_said(one), index)


def rule(one: Rule) -> Entry:
    """Return what to ask for."""
    lengths = (0 if net is None else net.prefixlen for net in (one.destination, one.source))
    table = one.table if one.fate is Fate.FORWARD else 0
    body = _BODY.pack(FAMILY_OF[one.family], *lengths, 0, _octet(table), 0, 0, one.fate, 0)
    body += b"" if one.destination is None else _network(_TO, one.destination)
    body += b"" if one.source is None else _network(_FROM, one.source)
    body += b"" if one.into is None else attribute(_IIF, one.into.encode() + b"\0")
    body += b"" if one.out is None else attribute(_OUT, one.out.encode() + b"\0")
    if one.mark is not None:
        body += _of(_MARK, one.mark[0]) + _of(_MASK, one.mark[1])
    body += _of(_PREFERENCE, one.priority) + (_of(_TABLE, table) if table else b"")
    return Entry(Kind.RULE, body + attribute(_BY, bytes([PROTOCOL])), _rule_said(one))


def add(sequence: int, entry: Entry) -> bytes:
    """Return the request for an entry; EEXIST is the answer where it is there already.

    A route comes before others to the same place: they stay, and lead nowhere while ours does. A
    rule is compared whole, whoever made it (fib_table_insert, net/ipv4/fib_trie.c; rule_exists,
    net/core/fib_rules.c).
    """
    flags = REQUEST | ACK | CREATE
    flags |= EXCLUSIVE if entry.kind is Kind.RULE else 0
    return message(entry.kind, flags, sequence, entry.body)


def delete(sequence: int, entry: Entry) -> bytes:
    """Return the request to remove an entry; the kernel compares who made it too."""
    return message(entry.kind + 1, REQUEST | ACK, sequence, entry.body)


def listing(sequence: int, kind: Kind, version: int) -> bytes:
    """Return the request for every entry of ours of an IP version.

    With NETLINK_GET_STRICT_CHK the kernel leaves out other routes; it lists all rules.
    """
    by = PROTOCOL if kind is Kind.ROUTE else 0
    body = _BODY.pack(FAMILY_OF[version], 0, 0, 0, 0, by, 0, 0, 0)
    return message(kind + 2, REQUEST | DUMP, sequence, body)


def ours(datagram: bytes) -> Iterator[Entry]:
    """Yield the entries of ours in a part of a listing; raise `ValueError` if it is cut short.

    Flags are left out: a request may not have those that the kernel sets (RTNH_F_LINKDOWN).
    """
    for one in messages(datagram):
        if one.kind not in {Kind.ROUTE, Kind.RULE}:
            continue
        head, told = _BODY.unpack_from(one.body), dict(attributes(one.body[_BODY.size :]))
        by = head[5] if one.kind == Kind.ROUTE else int.from_bytes(told.get(_BY, b""), "little")
        if by == PROTOCOL:
            yield Entry(Kind(one.kind), _BODY.pack(*head[:-1], 0) + one.body[_BODY.size :])


def source_of(entry: Entry) -> bytes:
    """Return the address that an IPv6 route names as its source, packed; nothing for others.

    Where that address is removed the kernel keeps the route without it (rt6_remove_prefsrc,
    net/ipv6/route.c), and answers EEXIST to who asks for the route again. IPv4 routes go.
    """
    if entry.kind is not Kind.ROUTE or _head(entry)[0] != FAMILY_OF[6]:
        return b""
    return dict(attributes(entry.body[_BODY.size :])).get(_PREFSRC, b"")


def is_of(listed: Entry, wanted: Entry) -> bool:
    """Say whether what the kernel lists is what was asked for; it tells more than it was asked."""
    if listed.kind is not wanted.kind or _head(listed) != _head(wanted):
        return False
    found = dict(attributes(listed.body[_BODY.size :]))
    return all(found.get(key) == value for key, value in attributes(wanted.body[_BODY.size :]))


def _head(entry: Entry) -> tuple[int, ...]:
    """Return what says what it is: everything but flags."""
    return _BODY.unpack_from(entry.body)[:-1]


def _octet(table: int) -> int:
    """Return a table as the header has it: of a larger one the attribute alone tells."""
    return table if table <= _LARGEST else _COMPAT


def _network(kind: int, network: IpNetwork) -> bytes:
    return attribute(kind, network.network_address.packed) if network.prefixlen else b""


def _of(kind: int, number: int) -> bytes:
    return attribute(kind, _NUMBER.pack(number))


def _route_said(one: Route) -> str:
    words = ["route", "" if one.fate is Fate.FORWARD else one.fate.name.lower(), str(one.to)]
    words += [] if one.via is None else ["via", str(one.via)]
    words += [] if one.device is None else ["dev", one.device]
    words += [] if one.source is None else ["src", str(one.source)]
    words += [] if one.table == MAIN else ["table", str(one.table)]
    words += [] if not one.metric else ["metric", str(one.metric)]
    return " ".join(filter(None, words))


def _rule_said(one: Rule) -> str:
    words = ["rule", f"{one.priority}:"]
    words += ["from", "all" if one.source is None else str(one.source)]
    words += [] if one.destination is None else ["to", str(one.destination)]
    words += [] if one.into is None else ["iif", one.into]
    words += [] if one.out is None else ["oif", one.out]
    words += [] if one.mark is None else [f"fwmark {one.mark[0]:#x}/{one.mark[1]:#x}"]
    is_lookup = one.fate is Fate.FORWARD
    return " ".join(
        [*words, *(["lookup", str(one.table)] if is_lookup else [one.fate.name.lower()])]
    )
