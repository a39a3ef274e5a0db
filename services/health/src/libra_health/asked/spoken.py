"""What checks send and expect, from the text or the hex that it is written in."""

from __future__ import annotations

from typing import TypeAlias

from libra_health.patterns import compiled
from libra_schemas import config as written

Spoken: TypeAlias = written.TcpSpec | written.ExchangeSpec | written.UdpSpec


def sent(part: Spoken) -> bytes:
    """Give the bytes to send, b"" for none."""
    return bytes.fromhex(part.send_hex) if part.send_hex else (part.send or "").encode()


def expected(part: Spoken) -> str:
    """Give the pattern to find, "" for any answer; raises ValueError where it is none for bytes."""
    held = bytes.fromhex(part.expect_hex or "")
    pattern = "".join(f"\\x{byte:02x}" for byte in held) or part.expect or ""
    compiled(pattern)
    return pattern
