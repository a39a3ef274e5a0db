"""Checks of name servers: records that are some, and none where none can come."""

from collections.abc import Iterator

from libra_schemas.answers import canonical
from libra_schemas.config import Config
from libra_schemas.places import Finding
from libra_schemas.rules.checks import written


def expected(config: Config) -> Iterator[Finding]:
    """Check that what is expected is a record of the type asked for."""
    for path, check in written(config):
        if check.dns is None:
            continue
        read = ((*path, "dns", "type"),)
        for place, text in enumerate(check.dns.expect):
            try:
                canonical(check.dns.type, text)
            except ValueError as error:
                yield Finding((*path, "dns", "expect", place), str(error), read=read)


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
