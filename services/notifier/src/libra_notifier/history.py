"""Which sinks there were when: the accepted configs of the log, in order.

Rule: an event is routed by the config that was in force where it stands in the log, so a restart
routes it as the first run did; a sink begins where the config that brought it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from libra_notifier.progress import Receipts
from libra_schemas.canonical import digest
from libra_schemas.config.notify import SINKS, SinkConfig
from libra_schemas.envelope import Event, Unrecognised
from libra_schemas.errors import LibraError
from libra_schemas.events import ConfigApplied
from libra_schemas.model import Fact, Name


class MalformedSinks(LibraError):
    """A config whose sinks cannot be accepted; the message quotes no value of it."""


class _Sinks(Fact):
    """The one section of a config that is ours; the console checked the whole."""

    notify: dict[Name, SinkConfig] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The sinks of the config accepted at one LOG sequence."""

    sequence: int
    sinks: Mapping[str, SinkConfig]


History = tuple[Accepted, ...]
"""Accepted configs, oldest first."""


def accepted(event: Event | Unrecognised, sequence: int) -> Accepted:
    """Accept the config that `config.applied` at *sequence* brought; raise MalformedSinks."""
    data = event.data
    if not isinstance(data, ConfigApplied):
        raise MalformedSinks("a config of a newer release")
    if digest(data.document) != data.hash:
        raise MalformedSinks("the hash is not that of the document")
    return Accepted(sequence, sinks_of(data.document))


def sinks_of(document: Any) -> Mapping[str, SinkConfig]:
    """Read the sinks of a config *document*; raise MalformedSinks."""
    try:
        sinks = _Sinks.model_validate(document).notify
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MalformedSinks(f"{place}: {first['msg']}") from None
    for name, sink in sinks.items():
        if len(sink.kinds) != 1:
            raise MalformedSinks(f"notify.{name}: name exactly one of {', '.join(SINKS)}")
    return sinks


def route(history: History, sink: str, sequence: int) -> SinkConfig | None:
    """Name the config of *sink* in force for the event at *sequence*, None where it had none."""
    for accepted in reversed(history):
        if accepted.sequence < sequence:
            return accepted.sinks.get(sink)
    return None


def introduced(history: History, sink: str) -> int:
    """Name the LOG sequence since which *sink* has been configured without a gap."""
    since = 0
    for accepted in reversed(history):
        if sink not in accepted.sinks:
            break
        since = accepted.sequence
    return since


def beginning(history: History, sink: str, first_start: int, receipts: Receipts) -> int:
    """Name the LOG sequence after which *sink* is told.

    Where its receipts end, if it has any since it was configured; else where it was configured
    or where the notifier first started, whichever is later: no history is replayed.
    """
    since = introduced(history, sink)
    if receipts.reader and receipts.reader >= since:
        return receipts.reader
    return max(since, first_start)
