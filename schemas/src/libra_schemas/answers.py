"""DNS names and records as people write them (RFC 1035 section 5.1), in one spelling each.

Rule: what the config expects and what a server answered are compared in this spelling.
"""

import re
from ipaddress import IPv4Address, IPv6Address

LONGEST_NAME = 253
_LABEL = re.compile(r"[!-~]{1,63}")
_NUMBERS = {"MX": 1, "SRV": 3}
_SOA_NUMBERS = 5
_BITS = {"MX": 16, "SRV": 16, "SOA": 32}


def checked_name(text: str) -> str:
    """Check that *text* is a domain name, "." the root; raise ValueError."""
    if text == ".":
        return text
    bare = text.removesuffix(".")
    labels = bare.split(".")
    if not text.isascii() or any(c <= " " or c in '\\"' for c in text):
        raise ValueError(f"no domain name: {text[:80]!r} (write what is not ASCII as xn--...)")
    if len(bare) > LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(
            f"no domain name: {text[:80]!r} (1 to 63 characters between dots, 253 in all)"
        )
    return text


def canonical(kind: str, text: str) -> str:
    """Spell a record of type *kind* in the one way; raise ValueError where it is none."""
    match kind:
        case "A":
            return _address(IPv4Address, text)
        case "AAAA":
            return _address(IPv6Address, text)
        case "CNAME" | "NS" | "PTR":
            return _name(text)
        case "MX" | "SRV":
            *numbers, name = _words(kind, text, _NUMBERS[kind] + 1)
            return " ".join((*_counted(kind, numbers), _name(name)))
        case "SOA":
            server, person, *numbers = _words(kind, text, _SOA_NUMBERS + 2)
            return " ".join((_name(server), _name(person), *_counted(kind, numbers)))
        case _:
            return text


_FORMS = {
    "MX": "10 mail.example.net",
    "SRV": "0 5 389 ldap.example.net",
    "SOA": "ns.example.net hostmaster.example.net 1 7200 3600 1209600 300",
}


def _address(family: type[IPv4Address] | type[IPv6Address], text: str) -> str:
    try:
        return str(family(text if "%" not in text else ""))
    except ValueError:
        version = "IPv4" if family is IPv4Address else "IPv6"
        raise ValueError(f"no {version} address: {text[:80]!r}") from None


def _name(text: str) -> str:
    return checked_name(text).lower().removesuffix(".") or "."


def _words(kind: str, text: str, count: int) -> list[str]:
    words = text.split()
    if len(words) != count:
        raise ValueError(f"{kind} is written as in {_FORMS[kind]!r}, not {text[:80]!r}")
    return words


def _counted(kind: str, words: list[str]) -> list[str]:
    for word in words:
        if not re.fullmatch("[0-9]{1,10}", word) or int(word) >= 1 << _BITS[kind]:
            raise ValueError(f"{kind} is written as in {_FORMS[kind]!r}; {word[:20]!r} is none")
    return [str(int(word)) for word in words]
