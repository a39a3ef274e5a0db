"""What a checksum covers beside the message (RFC 5798 section 5.2.8).

One rule: it is as for any other protocol of the family: RFC 793 for IPv4, RFC 8200 for IPv6.
"""

import struct
from typing import Final

from libra_vrrp.codec.advertisement import IPV4, PROTOCOL
from libra_vrrp.rtnetlink import IpAddress

_PSEUDO_4: Final = struct.Struct("!4s4sBBH")
_PSEUDO_6: Final = struct.Struct("!16s16sI3xB")


def pseudo_header(source: IpAddress, destination: IpAddress, length: int) -> bytes:
    """Return what precedes a message of `length` octets; both addresses are of one family."""
    ends = source.packed, destination.packed
    if source.version == IPV4:
        return _PSEUDO_4.pack(*ends, 0, PROTOCOL, length)
    return _PSEUDO_6.pack(*ends, length, PROTOCOL)
