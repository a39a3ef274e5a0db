"""The names that a certificate is for (RFC 5280 section 4.2.1.6), read from its bytes.

The one rule: any bytes give names, or none; nothing is believed by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from libra_health.outcome import excerpt
from libra_health.protocols import ber

SHOWN: Final = 5
"""Names that are told."""
_LONGEST: Final = 80
"""Characters of one name that are told."""
_MOST: Final = 1000
"""Parts of anything in a certificate that are looked at."""
_EXTENSIONS: Final = 0xA3
_DNS, _ADDRESS = 0x82, 0x87
_ALTERNATIVES: Final = bytes.fromhex("551d11")
"""2.5.29.17, subjectAltName."""


def told_names(der: bytes) -> str:
    """Say whom a certificate is for, a few names of it; "" where it cannot be read."""
    names = names_of(der)
    if names is None:
        return ""
    told = [excerpt(name, _LONGEST) for name in names[:SHOWN]]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"it is for {', '.join(told)}{more}" if told else "it has no names of servers"


def names_of(der: bytes) -> list[bytes] | None:
    """List the DNS names and the addresses of a certificate (DER); None where it is none."""
    try:
        whole = ber.element(der, 0, len(der))
        if whole is None or whole.end != len(der):
            return None
        (signed,) = ber.parts(whole, most=1)
        extensions = [part for part in ber.parts(signed, most=_MOST) if part.tag == _EXTENSIONS]
        return [name for each in extensions for name in _alternatives(each)]
    except (ber.MalformedBer, ValueError):  # too few parts, or no address
        return None


def _alternatives(extensions: ber.Element) -> Iterator[bytes]:
    (listed,) = ber.parts(extensions, most=1)
    for extension in ber.parts(listed, most=_MOST):
        what, *_, value = ber.parts(extension, most=3)
        if what.content != _ALTERNATIVES:
            continue
        (names,) = ber.parts(value, most=1)
        for name in ber.parts(names, most=_MOST):
            if name.tag == _DNS:
                yield name.content
            elif name.tag == _ADDRESS:
                yield str(ip_address(name.content)).encode()
