"""Checks: of one kind, done before the next one is due, and without a secret."""

from collections.abc import Iterator

from libra_schemas.config import CheckConfig, Config
from libra_schemas.config.check import KINDS
from libra_schemas.places import STRANGER, Finding, Path

_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"}
)

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


def bodies(config: Config) -> Iterator[Finding]:
    """Check that there is a body where one is looked at (RFC 9110 §9.3.2)."""
    for path, check in written(config):
        if check.http is None or check.http.method != "HEAD":
            continue
        for key in ("contains", "regex"):
            if getattr(check.http, key) is not None:
                place = (*path, "http", key)
                read = ((*path, "http", "method"),)
                message = "an answer to HEAD has no body"
                yield Finding(place, message, "use method: GET", read=read)


def secret_headers(config: Config) -> Iterator[Finding]:
    """Refuse headers whose value is a secret."""
    for path, check in written(config):
        for header in check.http.headers if check.http is not None else ():
            if header.lower() in _SECRET_HEADERS:
                place = (*path, "http", "headers", header)
                message = "holds a secret, and a secret is never a value"
                yield Finding(place, message, "ask a page that needs none", on_key=True)
