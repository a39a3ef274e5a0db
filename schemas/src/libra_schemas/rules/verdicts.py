"""Verdicts: limits that can be reached, and steps that there is a weight for."""

from collections.abc import Iterator

from libra_schemas.config import CheckConfig, Config, ServiceConfig
from libra_schemas.places import Finding, Path
from libra_schemas.text import spelled

_WEIGHTLESS = frozenset({"rr", "lc", "dh"})
"""Schedulers that look at no weight but 0 (net/netfilter/ipvs/ip_vs_{rr,lc,dh}.c)."""


def several(config: Config) -> Iterator[Finding]:
    """Check that there is a choice where any check may pass."""
    message, hint = "means nothing with one check", "list several under check, or leave it out"
    for name, service in config.services.items():
        path: Path = ("services", name)
        for backend, real in service.backends.items():
            place = (*path, "backends", backend)
            if real.require == "any" and len(service.checks_of(real)) < 2:  # noqa: PLR2004 - a choice
                read = ((*place, "check"), (*path, "check"))
                yield Finding((*place, "require"), message, hint, read=read)
        most = max((len(service.checks_of(real)) for real in service.backends.values()), default=2)
        if service.require == "any" and most < 2:  # noqa: PLR2004 - likewise
            read = ((*path, "check"), (*path, "backends"))
            yield Finding((*path, "require"), message, hint, read=read)


def damping(config: Config) -> Iterator[Finding]:
    """Check that a backend can change as often as damping counts."""
    for name, service in config.services.items():
        path: Path = ("services", name)
        limits = service.damping
        checks = [check for real in service.backends.values() for check in service.checks_of(real)]
        if limits is None or not checks:
            continue
        soonest = min(_quickest(check, limits.changes) for check in checks)
        if soonest > limits.within:
            message = (
                f"no backend is held down: {limits.changes} changes take at least "
                f"{spelled(soonest)} with these checks"
            )
            place = (*path, "damping")
            read = tuple((*path, each) for each in ("check", "backends"))
            yield Finding(place, message, f"write within: {spelled(2 * soonest)}", read=read)


def _quickest(check: CheckConfig, changes: int) -> float:
    """Tell the seconds from the first to the last of so many changes, at the quickest."""
    turns = changes - 1
    both, one = check.rise + check.fall, min(check.rise, check.fall)
    return check.every * (turns // 2 * both + turns % 2 * one)


def max_down(config: Config) -> Iterator[Finding]:
    """Check that a guard guards something."""
    for name, service in config.services.items():
        limit, size = service.max_down, len(service.backends)
        if limit is None or not size:
            continue
        whole = limit.most == "100%" or (isinstance(limit.most, int) and limit.most >= size)
        if whole:
            path: Path = ("services", name)
            message = f"guards nothing: health may take out all of {size}"
            read = ((*path, "backends"),)
            yield Finding((*path, "max_down"), message, "write less, or leave it out", read=read)


def vantage(config: Config) -> Iterator[Finding]:
    """Check that there are votes to count."""
    for name, service in config.services.items():
        mode = service.vantage.mode
        if mode != "local" and len(config.nodes) < 2:  # noqa: PLR2004 - votes of several
            message = f"{mode} means nothing with one node"
            hint = "list the other directors under nodes, or leave it out"
            place = ("services", name, "vantage")
            yield Finding(place, message, hint, read=(("nodes",),))


def slow_start(config: Config) -> Iterator[Finding]:
    """Check that a slow start has a weight to begin below, and a scheduler that looks at it."""
    for name, service in config.services.items():
        path: Path = ("services", name)
        slow = [each for each, real in service.backends.items() if service.slow_start_of(real)]
        if slow and service.scheduler in _WEIGHTLESS:
            place = _said(path, service, slow[0])
            message = f"scheduler {service.scheduler} looks at no weight"
            read: tuple[Path, ...] = ((*path, "scheduler"), (*path, "backends"))
            yield Finding(place, message, "use wrr or wlc", read=read)
        for each in slow:
            weighs = any(map(_weighs, service.checks_of(service.backends[each])))
            if service.backends[each].weight == 1 and not weighs:
                place = (*path, "backends", each)
                message = "slow_start has no step below weight 1"
                hint = "write larger weights, such as weight: 100 for each"
                keys = ("weight", "slow_start", "check")
                read = tuple((*at, key) for at in (place, path) for key in keys)
                yield Finding(place, message, hint, read=read)


def _weighs(check: CheckConfig) -> bool:
    """Tell whether a check contributes a weight."""
    specs = (getattr(check, kind) for kind in check.kinds)
    return any(getattr(spec, "weight", None) for spec in specs)


def _said(path: Path, service: ServiceConfig, backend: str) -> Path:
    own = service.backends[backend].slow_start is not None
    return (*path, "backends", backend, "slow_start") if own else (*path, "slow_start")
