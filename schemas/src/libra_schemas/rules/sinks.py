"""Sinks: routes that can match something, credentials that are whole."""

from collections.abc import Iterator

from libra_schemas.config import Config
from libra_schemas.places import Finding
from libra_schemas.subjects import REGISTER_OF
from libra_schemas.suggestions import nearest


def matches(pattern: str, event_type: str) -> bool:
    """Tell whether *pattern* (`backend.*`, `*.down`) covers *event_type*."""
    return all(
        wanted in {"*", token}
        for wanted, token in zip(pattern.split("."), event_type.split("."), strict=True)
    )


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
        missing = "password_file" if sink.email.password_file is None else "user"
        yield Finding(("notify", name, "email"), f"{missing} is missing", on_key=True)
