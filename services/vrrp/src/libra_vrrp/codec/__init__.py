"""The wire format of VRRP: `encode` an `Advertisement`, `decode` a `Datagram`."""

from libra_vrrp.codec.advertisement import (
    GROUP,
    HOPS,
    IPV4,
    IPV6,
    LONGEST,
    OWNER,
    PASSWORD,
    PROTOCOL,
    SECOND,
    V2,
    V3,
    Advertisement,
    Checksum,
    require_interval,
)
from libra_vrrp.codec.malformed import MalformedAdvertisement, Reason
from libra_vrrp.codec.message import (
    NO_AUTHENTICATION,
    SIMPLE_PASSWORD,
    Received,
    decode,
    encode,
    padded,
)
from libra_vrrp.codec.packet import Datagram, decode_packet, encode_packet

__all__ = [
    "GROUP",
    "HOPS",
    "IPV4",
    "IPV6",
    "LONGEST",
    "NO_AUTHENTICATION",
    "OWNER",
    "PASSWORD",
    "PROTOCOL",
    "SECOND",
    "SIMPLE_PASSWORD",
    "V2",
    "V3",
    "Advertisement",
    "Checksum",
    "Datagram",
    "MalformedAdvertisement",
    "Reason",
    "Received",
    "decode",
    "decode_packet",
    "encode",
    "encode_packet",
    "padded",
    "require_interval",
]
