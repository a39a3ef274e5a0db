"""Checks: of one kind, and done before the next one is due."""

from collections.abc import Iterator

from libra_schemas.config import CheckConfig, Config
from libra_schemas.config.check import KINDS
from libra_schemas.places import STRANGER, Finding, Path
from libra_schemas.text import spelled

_MILLI = 50
"""A timeout from which on a number may have been meant to be milliseconds."""

Written = CheckConfig | tuple[CheckConfig, ...] | None


def written(config: Config) -> Iterator[tuple[Path, CheckConfig]]:
    """Give every check of *config*, of services and of backends, where it stands."""
    for name, service in config.services.items():
        path: Path = ("services", name)
        yield from listed((*path, "check"), service.check)
        for backend, real in service.backends.items():
            yield from listed((*path, "backends", backend, "check"), real.check)


def listed(path: Path, checks: Written) -> Iterator[tuple[Path, CheckConfig]]:
    """Give the checks that are written at *path*, each where it stands."""
    match checks:
        case None:
            return
        case CheckConfig():
            yield path, checks
        case _:
            yield from (((*path, index), check) for index, check in enumerate(checks))


def kinds(config: Config) -> Iterator[Finding]:
    """Check that a check is of exactly one kind."""
    for path, check in written(config):
        if len(check.kinds) != 1:
            lists = ", ".join(f"{{{kind}: ...}}" for kind in check.kinds)
            yield one_kind(
                path, KINDS, check.kinds, f"write a list with a check for each: [{lists}]"
            )


def one_kind(path: Path, known: tuple[str, ...], named: tuple[str, ...], mend: str) -> Finding:
    """Say that what stands at *path* is of one of the *known* kinds, not of those *named*.

    *mend*: what to do where several are named.
    """
    found = f", not {' and '.join(named)}" if named else ""
    read = () if named else tuple((*path, key) for key in (*known, STRANGER))
    message = f"name exactly one of {', '.join(known)}{found}"
    return Finding(path, message, mend if named else "", read=read)


def timeouts(config: Config) -> Iterator[Finding]:
    """Check that a check is over before the next one is due."""
    for path, check in written(config):
        if check.timeout > check.every:
            message = f"timeout {check.timeout:g}s is longer than every {check.every:g}s"
            hint = f"write every: {spelled(check.timeout)} or longer, or a shorter timeout"
            hint += "; a bare number is in seconds" if check.timeout >= _MILLI else ""
            yield Finding((*path, "timeout"), message, hint, read=((*path, "every"),))
