"""Sinks: routes that can match something, credentials that are whole."""

from collections.abc import Iterator

from libra_schemas.config import Config
from libra_schemas.config.notify import SINKS
from libra_schemas.places import Finding, Path
from libra_schemas.rules.checks import one_kind
from libra_schemas.subjects import REGISTER_OF
from libra_schemas.suggestions import nearest


def matches(pattern: str, event_type: str) -> bool:
    """Tell whether *pattern* (`backend.*`, `*.down`) covers *event_type*."""
    return all(
        wanted in {"*", token}
        for wanted, token in zip(pattern.split("."), event_type.split("."), strict=True)
    )


def kinds(config: Config) -> Iterator[Finding]:
    """Check that a sink is of exactly one kind."""
    for name, sink in config.notify.items():
        if len(sink.kinds) != 1:
            yield one_kind(("notify", name), SINKS, sink.kinds, "name a sink for each")


def routes(config: Config) -> Iterator[Finding]:
    """Check that every pattern covers an event type."""
    for name, sink in config.notify.items():
        for index, pattern in enumerate(sink.match):
            if not any(matches(pattern, event_type) for event_type in REGISTER_OF):
                hint = nearest(pattern, REGISTER_OF) or "docs/events.md lists all"
                yield Finding(("notify", name, "match", index), f"no event type is {pattern}", hint)


def credentials(config: Config) -> Iterator[Finding]:
    """Check that mail has both user and password, or neither."""
    for name, sink in config.notify.items():
        if sink.email is None or (sink.email.user is None) == (sink.email.password_file is None):
            continue
        keys = ["user", "password_file"]
        missing, given = keys if sink.email.user is None else reversed(keys)
        path: Path = ("notify", name, "email")
        message = f"is missing beside {given}"
        yield Finding((*path, missing), message, on_key=True, read=((*path, given),))
