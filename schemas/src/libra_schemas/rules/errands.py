"""Checks that go nowhere themselves: a program's variables hold no secret, a file has no way."""

from collections.abc import Iterator

from libra_schemas.config import Config
from libra_schemas.places import Finding
from libra_schemas.rules.checks import written
from libra_schemas.rules.secrets import is_secret, is_secret_argument, is_secret_option, names_file

_WAY = ("address", "port", "bind", "interface", "fwmark")


def secret_variables(config: Config) -> Iterator[Finding]:
    """Refuse variables whose value is a secret: every process of that user may read them."""
    for path, check in written(config):
        for name in check.exec.environment if check.exec is not None else ():
            if is_secret(name) and not names_file(name):
                place = (*path, "exec", "environment", name)
                message = "holds a secret, and a secret is never a value"
                hint = f"write it to a file that the program reads, and name that as {name}_FILE"
                yield Finding(place, message, hint, on_key=True)


def secret_arguments(config: Config) -> Iterator[Finding]:
    """Refuse arguments whose value is a secret: `ps` shows them to everybody."""
    for path, check in written(config):
        command = check.exec.command if check.exec is not None else ()
        for index, argument in enumerate(command):
            before = command[index - 1] if index else ""
            if is_secret_argument(argument) or is_secret_option(before, argument):
                message = "holds a secret, and a secret is never a value"
                hint = "write it to a file that the program reads, and name that"
                yield Finding((*path, "exec", "command", index), message, hint)


def ways(config: Config) -> Iterator[Finding]:
    """Check that nothing is said about how packets leave where none do."""
    for path, check in written(config):
        if check.file is not None:
            for key in _WAY:
                if getattr(check, key) is not None:
                    message = "a file check sends nothing"
                    yield Finding((*path, key), message, "leave it out", on_key=True)
