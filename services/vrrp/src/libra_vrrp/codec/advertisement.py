"""What VRRP routers say to each other, as values (RFC 3768, 5798 and 9568 section 5).

One rule: whatever exists has a place in the format. Intervals are centiseconds, whatever the wire
counts in.
"""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from libra_vrrp.rtnetlink import IpAddress

PROTOCOL: Final = 112
V2: Final = 2
V3: Final = 3
IPV4: Final = 4
IPV6: Final = 6
GROUP: Final[dict[int, IpAddress]] = {
    IPV4: IPv4Address("224.0.0.18"),
    IPV6: IPv6Address("ff02::12"),
}
"""Whom multicast advertisements go to, by family (section 5.1)."""
HOPS: Final = 255
"""TTL or hop limit of what did not come through a router (sections 5.1.1.3 and 5.1.2.3)."""
OWNER: Final = 255
"""Priority of the router whose own address is the virtual one (section 6.1)."""
SECOND: Final = 100
LONGEST: Final = {V2: 255 * SECOND, V3: 0xFFF}
"""The longest interval by version: an octet of seconds, 12 bits of centiseconds."""
PASSWORD: Final = 8
"""Octets of authentication data that every message of version 2 ends with (RFC 3768, 5.3.10)."""


class Checksum(StrEnum):
    """What the checksum of version 3 covers: the pseudo header too, or the message alone.

    Over IPv4 keepalived has the former and RFC 9568 the latter; over IPv6 there is only the former.
    """

    PSEUDO_HEADER = "pseudo-header"
    RFC9568 = "rfc9568"


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a router says about one virtual router (section 5.2)."""

    vrid: int
    priority: int
    interval: int
    addresses: tuple[IpAddress, ...] = ()
    version: int = 3

    def __post_init__(self) -> None:
        """Raise `ValueError` for what has no place in the format."""
        if not 1 <= self.vrid <= 255:  # noqa: PLR2004 - one octet
            raise ValueError(f"vrid {self.vrid} is not within 1-255")
        if not 0 <= self.priority <= OWNER:
            raise ValueError(f"priority {self.priority} is not within 0-255")
        if len(self.addresses) > 255:  # noqa: PLR2004 - one octet counts them
            raise ValueError("an advertisement holds at most 255 addresses")
        families = {address.version for address in self.addresses}
        if len(families) > 1 or (self.version, families) == (V2, {IPV6}):
            raise ValueError("addresses of one family, IPv4 in version 2")
        require_interval(self.version, self.interval)


def require_interval(version: int, interval: int) -> None:
    """Raise `ValueError` for an interval (centiseconds) that `version` cannot say."""
    if version not in LONGEST:
        raise ValueError(f"version {version} is neither 2 nor 3")
    if not 1 <= interval <= LONGEST[version]:
        raise ValueError(f"interval {interval} cs is not within 1-{LONGEST[version]}")
    if version == V2 and interval % SECOND:
        raise ValueError(f"interval {interval} cs is no whole number of seconds")
