"""Check `udp`: send one datagram and look at what comes back."""

from typing import Literal

from libra_schemas.config.kinds.fields import Expected, Hex, Said
from libra_schemas.model import Strict


class UdpSpec(Strict):
    """One datagram; an ICMP error fails at once, an answer must be as expected."""

    send: Said | None = None
    """Text of the datagram; without it and `send_hex` the datagram is empty."""
    send_hex: Hex | None = None
    """Bytes of the datagram, in hex, in place of `send`."""
    expect: Expected | None = None
    """Regular expression that a datagram must match somewhere, within 50 ms; others may come before
    it, until the timeout. Without it any answer passes.
    """
    expect_hex: Hex | None = None
    """Bytes that a datagram must hold, in hex, in place of `expect`."""
    silence: Literal["fail", "pass"] | None = None
    """What it means that nothing comes until the timeout; without it `fail` where `expect` is
    given, else `pass`: then a closed port fails, but a firewall that drops or a lost host may pass.
    """
