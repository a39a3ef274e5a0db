"""What a master routes: `routes: [{to: default, via: 10.0.0.1, table: 100}]`, `rules: [...]`.

Rule: words and defaults are those of `ip route` and `ip rule`; what both leave to the host, as the
names of tables, is written as a number.
"""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, WithJsonSchema

from libra_schemas.config.fields import Interface
from libra_schemas.model import Address, Strict

Network = IPv4Network | IPv6Network
Version = Literal[4, 6]

DEFAULT = "default"
MAIN = 254
_TABLES = {"main": MAIN, DEFAULT: 253}
_LOCAL = 255
_LARGEST = 0xFFFFFFFF
_EXAMPLE = "a network such as 10.0.0.0/8"


def parse_network(value: Any) -> str:
    """Check `10.0.0.0/8` or a single address and give it back normalised; raise ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"expected {_EXAMPLE}")
    try:
        network = ip_network(value.strip(), strict=False)
    except ValueError:
        raise ValueError(f"expected {_EXAMPLE}, not {value!r}") from None
    if network.network_address != ip_address(value.strip().partition("/")[0]):
        raise ValueError(f"{value} is an address in a network; write {network}")
    return str(network)


def _parse_destination(value: Any) -> str:
    if isinstance(value, str) and value.strip() == DEFAULT:
        return DEFAULT
    try:
        return parse_network(value)
    except ValueError as wrong:
        raise ValueError(str(wrong).replace(_EXAMPLE, f"default, or {_EXAMPLE}")) from None


def parse_table(value: Any) -> int:
    """Read a routing table, a number or `main` or `default`; raise ValueError."""
    if isinstance(value, str) and value.strip() in _TABLES:
        return _TABLES[value.strip()]
    if isinstance(value, str):
        known = "names of tables are the host's own; write the number"
        raise ValueError(f"expected a table's number, main or default, not {value!r}; {known}")
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LARGEST:
        raise ValueError(f"expected a table's number, 1 to {_LARGEST}, or main")
    if value == _LOCAL:
        raise ValueError(f"table {_LOCAL} holds the host's own addresses; choose another")
    return value


def parse_mark(value: Any) -> str:
    """Read `7`, `0x10` or `0x10/0xff` and give it back as value and mask; raise ValueError."""
    wrong = "expected a mark such as 7, or with its mask 0x10/0xff"
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(wrong)
    mark, _, mask = str(value).partition("/")
    try:
        found = int(mark, 0), int(mask or hex(_LARGEST), 0)
    except ValueError:
        raise ValueError(wrong) from None
    if not all(0 <= number <= _LARGEST for number in found):
        raise ValueError(f"a mark is 0 to {_LARGEST:#x}")
    if found[0] & ~found[1]:
        raise ValueError("the mask leaves out a part of the mark, so that no packet has it")
    return f"{found[0]:#x}/{found[1]:#x}"


NetworkText = Annotated[
    str,
    BeforeValidator(parse_network),
    WithJsonSchema({"type": "string", "examples": ["10.0.0.0/8", "2001:db8::/32"]}),
]
Destination = Annotated[
    str,
    BeforeValidator(_parse_destination),
    WithJsonSchema({"type": "string", "examples": ["default", "10.0.0.0/8", "2001:db8::/32"]}),
]
Table = Annotated[
    int,
    BeforeValidator(parse_table),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": _LARGEST},
                {"enum": ["main", "default"]},
            ]
        }
    ),
]
Mark = Annotated[
    str,
    BeforeValidator(parse_mark),
    WithJsonSchema({"type": ["string", "integer"], "examples": [7, "0x10/0xff"]}),
]
Number = Annotated[StrictInt, Field(ge=1, le=_LARGEST)]


class VirtualRoute(Strict):
    """A route that the master has."""

    to: Destination
    """The network that it leads to, one address of it, or `default`."""
    via: Address | None = None
    """The next router, of the same address family."""
    interface: Interface | None = None
    """Where it leads out. Without it the kernel finds it by `via`, and without that it is the
    instance's.
    """
    src: Address | None = None
    """The address that the host's own packets have which take this route."""
    table: Table = MAIN
    """The routing table: a number, `main` (254) or `default` (253)."""
    metric: Number | None = None
    """Of two routes to one network the one with the lower metric counts."""
    scope: Literal["global", "link", "host"] | None = None
    """How far away an IPv4 network is; without it `link` where there is no `via`, else `global`."""
    onlink: StrictBool = False
    """`via` is reached through `interface` although no route leads there."""
    type: Literal["unicast", "blackhole", "unreachable", "prohibit"] = "unicast"
    """`unicast` leads somewhere; the others drop packets, silently or with an answer by ICMP."""

    @property
    def version(self) -> Version | None:
        """Tell the IP version, None where nothing does: then it is that of the instance."""
        if self.to != DEFAULT:
            return ip_network(self.to).version
        found = self.via or self.src
        return None if found is None else found.version


class VirtualRule(Strict):
    """A rule of the master's policy routing: which packets look into which table."""

    priority: Annotated[StrictInt, Field(ge=1, le=32765)]
    """Its place: the lower, the earlier; the kernel's own for table main has 32766."""
    from_: Annotated[NetworkText | None, Field(alias="from")] = None
    """Packets from this network."""
    to: NetworkText | None = None
    """Packets to this network."""
    iif: Interface | None = None
    """Packets that came in there; `lo` are those of the host itself."""
    oif: Interface | None = None
    """Packets of sockets that are bound to this interface."""
    fwmark: Mark | None = None
    """Packets with this mark of the firewall, perhaps with a mask: `0x10/0xff`."""
    table: Table | None = None
    """The table that `lookup` looks into: a number, `main` (254) or `default` (253)."""
    action: Literal["lookup", "blackhole", "unreachable", "prohibit"] = "lookup"
    """What becomes of the packets: `lookup` asks the table, the others drop them."""

    @property
    def version(self) -> Version | None:
        """Tell the IP version, None where nothing does: then it is that of the instance."""
        found = self.from_ or self.to
        return None if found is None else ip_network(found).version

    @property
    def mark(self) -> tuple[int, int] | None:
        """Give the mark and its mask."""
        if self.fwmark is None:
            return None
        mark, _, mask = self.fwmark.partition("/")
        return int(mark, 0), int(mask, 0)
