"""Which events a sink is told.

Rule: receipts are never told, whatever a pattern says, so a sink cannot feed itself. What is no
change of anything is told to who names it, and to no wildcard.
"""

from libra_schemas.config.notify import SinkConfig
from libra_schemas.subjects import Subject

CONFIG = "config.applied"

_OWN = "notify"
_OF_SERVICE = ("backend", "service", "table")
_OPERATED = ("service", "backend")
_ASIDE = frozenset({"vrrp.follows", "backend.weight", "backend.seen"})
"""What backups say of a master, who has said `vrrp.master` himself, steps of a weight, votes."""


def told(sink: SinkConfig, subject: Subject) -> bool:
    """Say whether *sink* is told the events of *subject*.

    Where the sink names services, a wildcard type does not stand for events that concern no
    service; a type written out (`vrrp.*`) does.
    """
    first = subject.type.partition(".")[0]
    if first == _OWN or (sink.nodes and subject.node not in sink.nodes):
        return False
    matching = [pattern for pattern in sink.match if _matches(pattern, subject.type)]
    if not sink.services:
        return bool(matching)
    service = service_of(subject)
    if service is None:
        return any(not pattern.startswith("*") for pattern in matching)
    return bool(matching) and service in sink.services


def followed(sink: SinkConfig | None) -> tuple[str, ...]:
    """Name the types to read for *sink* (`backend` = all `backend.*`); none means every type.

    Configs are always among them: they change the route. No type is named twice.
    """
    types = {CONFIG}
    for pattern in sink.match if sink else ():
        first, _, second = pattern.partition(".")
        if first == "*":
            return ()
        types.add(first if second == "*" else pattern)
    whole = {each for each in types if "." not in each}
    return tuple(sorted(t for t in types if t in whole or t.partition(".")[0] not in whole))


def service_of(subject: Subject) -> str | None:
    """Name the service an event concerns, None where it concerns none."""
    first = subject.type.partition(".")[0]
    if first == "operator":
        is_of_service = subject.key[0] in _OPERATED and len(subject.key) > 1
        return subject.key[1] if is_of_service else None
    return subject.key[0] if first in _OF_SERVICE else None


def _matches(pattern: str, event_type: str) -> bool:
    if event_type in _ASIDE and pattern.endswith(".*"):
        return False
    pairs = zip(pattern.split("."), event_type.split("."), strict=True)
    return all(want in ("*", have) for want, have in pairs)
