"""Checks of name servers: records that are some, and none where none can come."""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address

from libra_schemas.answers import canonical
from libra_schemas.config import Config
from libra_schemas.places import Finding
from libra_schemas.rules.checks import written


def expected(config: Config) -> Iterator[Finding]:
    """Check that what is expected is a record of the type asked for."""
    for path, check in written(config):
        if check.dns is None or check.dns.rcode != "NOERROR":
            continue
        read = ((*path, "dns", "type"), (*path, "dns", "rcode"))
        for place, text in enumerate(check.dns.expect):
            try:
                canonical(check.dns.type, text)
            except ValueError as error:
                yield Finding((*path, "dns", "expect", place), str(error), read=read)


def reversed_names(config: Config) -> Iterator[Finding]:
    """Check that what looks like an address is one where PTR turns it round."""
    for path, check in written(config):
        if check.dns is None or check.dns.type != "PTR":
            continue
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", check.dns.name):
            continue
        try:
            IPv4Address(check.dns.name)
        except AddressValueError:
            message = f"no IPv4 address: {check.dns.name!r}"
            hint = "write one such as 192.0.2.1, or its whole name 1.2.0.192.in-addr.arpa"
            place, read = (*path, "dns", "name"), ((*path, "dns", "type"),)
            yield Finding(place, message, hint, read=read)


def rcodes(config: Config) -> Iterator[Finding]:
    """Check that answers are asked for only where the response code brings some."""
    for path, check in written(config):
        if check.dns is None or check.dns.rcode == "NOERROR":
            continue
        read = ((*path, "dns", "rcode"),)
        for key, asked in (("expect", check.dns.expect), ("at_least", check.dns.at_least)):
            if asked:
                message = f"no answers come with rcode {check.dns.rcode}"
                yield Finding((*path, "dns", key), message, "leave it out", read=read)
