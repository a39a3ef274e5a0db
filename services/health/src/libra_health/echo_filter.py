"""What a raw ICMP socket hears: the kernel drops all but the answers to our own request.

The one rule: who answers is still judged by the check; this only spares the driver strangers'
packets. Classic BPF (linux/filter.h); IPv4 sockets get the IP header too, IPv6 ones do not.
"""

from __future__ import annotations

import struct
from typing import Final

_INSTRUCTION: Final = struct.Struct("=HBBI")
_HEADER_LENGTH, _NO_HEADER = 0xB1, 0x01  # X = 4 * (byte 0 & 15); X = 0
_BYTE, _WORD = 0x50, 0x40  # A = what is at X + k
_EQUAL, _RETURN = 0x15, 0x06
_WHOLE: Final = 0xFFFFFFFF
KIND_V4, KIND_V6 = 0, 129
"""Echo replies (RFC 792, RFC 4443 section 4.2)."""


def echo_filter(token: bytes, *, is_ipv6: bool) -> bytes:
    """Write the program that passes echo replies whose identifier and sequence are *token*."""
    (wanted,) = struct.unpack("!I", token)
    lines = (
        (_NO_HEADER if is_ipv6 else _HEADER_LENGTH, 0, 0, 0),
        (_BYTE, 0, 0, 0),
        (_EQUAL, 0, 3, KIND_V6 if is_ipv6 else KIND_V4),
        (_WORD, 0, 0, 4),
        (_EQUAL, 0, 1, wanted),
        (_RETURN, 0, 0, _WHOLE),
        (_RETURN, 0, 0, 0),
    )
    return b"".join(_INSTRUCTION.pack(*line) for line in lines)
