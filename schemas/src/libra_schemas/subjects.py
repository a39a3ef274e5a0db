"""Subjects: where each event type is published, and which register it writes.

Rule: `<type>` is always two tokens, so `lvs.<node>.<type>.<key...>` parses without a table, and
every type writes exactly one register (the unit of last-writer-wins).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from libra_schemas.errors import MalformedSubject
from libra_schemas.model import NAME_PATTERN

LOG = "LOG"
STATE = "STATE"
DEAD = "DEAD"

_TOKEN = re.compile(NAME_PATTERN)
_FIRST_KEY = 4

REGISTER_OF = {
    "backend.up": "backend",
    "backend.down": "backend",
    "backend.weight": "backend",
    "backend.held": "backend",
    "backend.seen": "backend",
    "service.up": "service",
    "service.down": "service",
    "vrrp.master": "instance",
    "vrrp.backup": "instance",
    "vrrp.fault": "instance",
    "vrrp.stopped": "instance",
    "vrrp.priority": "priority",
    "vrrp.follows": "follows",
    "vrrp.alarm": "alarm",
    "conn.sync": "sync",
    "conn.fresh": "fresh",
    "table.changed": "change",
    "table.recorded": "record",
    "table.drift": "drift",
    "table.refused": "refusal",
    "config.applied": "config",
    "config.rejected": "rejection",
    "operator.drain": "admin",
    "operator.ready": "admin",
    "operator.maint": "admin",
    "operator.weight": "admin",
    "operator.failover": "admin",
    "notify.sent": "receipt",
    "notify.failed": "receipt",
    "peer.lost": "peer",
    "peer.back": "peer",
    "node.started": "started",
    "node.stopped": "stopped",
    "node.recovered": "recovered",
    "log.checkpoint": "checkpoint",
}
"""Event type -> the register it writes (the third token of its `state.` subject)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Where one event is published: *type* is two tokens, *key* names the entity."""

    node: str
    type: str
    key: tuple[str, ...]

    def __str__(self) -> str:
        """Render as `lvs.<node>.<type>.<key...>`."""
        return ".".join(("lvs", self.node, self.type, *self.key))

    @property
    def register(self) -> tuple[str, ...]:
        """Name the register this subject writes: (register, *key); unknown types have their own."""
        return (REGISTER_OF.get(self.type, self.type), *self.key)

    @property
    def state(self) -> str:
        """Where the STATE stream keeps this register: `state.<node>.<register>.<key...>`."""
        return ".".join(("state", self.node, *self.register))


@lru_cache(maxsize=65536)
def parse(text: str) -> Subject:
    """Parse `lvs.<node>.<type>.<key...>`; raise MalformedSubject otherwise."""
    tokens = text.split(".")
    if len(tokens) <= _FIRST_KEY or tokens[0] != "lvs":
        raise MalformedSubject(f"{text!r} is not lvs.<node>.<type>.<key>")
    if not all(_TOKEN.fullmatch(token) for token in tokens[1:]):
        raise MalformedSubject(f"{text!r} has a token that is no name")
    return Subject(tokens[1], f"{tokens[2]}.{tokens[3]}", tuple(tokens[_FIRST_KEY:]))


def source_of(node: str, service: str) -> str:
    """Name a publisher as CloudEvents `source`: `/lvs/<node>/<service>`."""
    return f"/lvs/{node}/{service}"


def dead_letter(node: str, reader: str) -> str:
    """Where *reader* puts what it could not accept."""
    return f"dead.{node}.{reader}"
