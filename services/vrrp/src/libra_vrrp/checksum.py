"""The Internet checksum (RFC 1071).

One rule: it is of an even number of octets.
"""

import struct


def internet_checksum(data: bytes) -> int:
    """Return the ones' complement of the ones' complement sum of `data`'s 16-bit words.

    Over data that carries its own right checksum it is 0.
    """
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
