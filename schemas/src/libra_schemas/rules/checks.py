"""Checks: of one kind, and done before the next one is due."""

from collections.abc import Iterator

from libra_schemas.config import CheckConfig, Config
from libra_schemas.config.check import KINDS
from libra_schemas.places import STRANGER, Finding, Path

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
            yield one_kind(path, KINDS, check.kinds)


def one_kind(path: Path, known: tuple[str, ...], named: tuple[str, ...]) -> Finding:
    """Say that what stands at *path* is of one of the *known* kinds, not of those *named*."""
    found = f", not {' and '.join(named)}" if named else ""
    read = () if named else tuple((*path, key) for key in (*known, STRANGER))
    return Finding(path, f"name exactly one of {', '.join(known)}{found}", read=read)


def timeouts(config: Config) -> Iterator[Finding]:
    """Check that a check is over before the next one is due."""
    for path, check in written(config):
        if check.timeout > check.every:
            message = f"timeout {check.timeout:g}s is longer than every {check.every:g}s"
            yield Finding((*path, "timeout"), message, read=((*path, "every"),))
