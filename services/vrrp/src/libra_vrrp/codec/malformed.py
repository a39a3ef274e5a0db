"""Why bytes are not an advertisement for us.

One rule: every way of being wrong has a reason of its own, and none of them changes a state.
"""

from enum import StrEnum

from libra_vrrp.rtnetlink import IpAddress


class Reason(StrEnum):
    """Why a datagram is not for us; the label it is counted under."""

    SHORT = "short"
    HEADER = "header"
    TTL = "ttl"
    VERSION = "version"
    TYPE = "type"
    LENGTH = "length"
    """More or fewer octets than the count of addresses calls for."""
    CHECKSUM = "checksum"
    VRID = "vrid"
    INTERVAL = "interval"
    AUTH_TYPE = "auth_type"
    AUTH_DATA = "auth_data"
    MULTICAST = "multicast"
    """To the group, although our instance is unicast."""
    UNICAST = "unicast"
    """To us alone, although our instance is multicast; or to an address that is not its own."""
    PEER = "peer"
    """From an address that is no peer of our unicast instance."""


class MalformedAdvertisement(ValueError):
    """The peer is wrong: `reason` says how, `detail` shows what was received.

    `vrid` is the virtual router it was about, `source` and `destination` are whose packet it was:
    each where that much could be read and nobody knows it otherwise.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        vrid: int | None = None,
        *,
        source: IpAddress | None = None,
        destination: IpAddress | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.vrid = vrid
        self.source = source
        self.destination = destination
