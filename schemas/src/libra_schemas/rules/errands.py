"""Checks that go nowhere themselves: a program's variables hold no secret, a file has no way."""

import re
from collections.abc import Iterator

from libra_schemas.config import Config
from libra_schemas.places import Finding
from libra_schemas.rules.checks import written

_SECRET = re.compile(
    r"PASS(WORD|WD|PHRASE)?$|SECRET|TOKEN|CREDENTIAL|API_?KEY|PRIVATE_?KEY", re.IGNORECASE
)
_WAY = ("address", "port", "bind", "interface", "fwmark")


def secret_variables(config: Config) -> Iterator[Finding]:
    """Refuse variables whose value is a secret: every process of that user may read them."""
    for path, check in written(config):
        for name in check.exec.environment if check.exec is not None else ():
            if _SECRET.search(name.upper()) and not name.upper().endswith("_FILE"):
                place = (*path, "exec", "environment", name)
                message = "holds a secret, and a secret is never a value"
                hint = f"write it to a file that the program reads, and name that as {name}_FILE"
                yield Finding(place, message, hint, on_key=True)


def ways(config: Config) -> Iterator[Finding]:
    """Check that nothing is said about how packets leave where none do."""
    for path, check in written(config):
        if check.file is not None:
            for key in _WAY:
                if getattr(check, key) is not None:
                    message = "a file check sends nothing"
                    yield Finding((*path, key), message, "leave it out", on_key=True)
