"""What every event type is: its key, who alone publishes it, what it says.

Rule: one row per type; subjects, permissions, the generated documents and the refusal of forged
events all read this table.
"""

from dataclasses import dataclass

EVERY = "every service"
"""Publisher of a service's own life cycle: the service that the key names."""

ENTITIES = {
    "node": ("node", "<node>"),
    "instance": ("instance", "<instance>"),
    "service": ("service", "<service>"),
    "backend": ("backend", "<service>", "<backend>"),
}
"""What an operator can act on -> the subject key: a fixed word, then names in angle brackets."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event type: *keys* are the forms its subject key may have."""

    publisher: str
    keys: tuple[tuple[str, ...], ...]
    meaning: str

    def takes(self, key: tuple[str, ...]) -> bool:
        """Tell whether *key* has one of the forms."""
        return any(_fits(form, key) for form in self.keys)

    @property
    def shown(self) -> str:
        """Spell the key as documents do: `<service>.<backend>`."""
        return " or ".join(".".join(form) for form in self.keys)


def _fits(form: tuple[str, ...], key: tuple[str, ...]) -> bool:
    return len(form) == len(key) and all(
        wanted == given or wanted.startswith("<") for wanted, given in zip(form, key, strict=True)
    )


_BACKEND = (("<service>", "<backend>"),)
_SERVICE = (("<service>",),)
_INSTANCE = (("<instance>",),)
_ALL = (("all",),)
_CLUSTER = (("cluster",),)
_ENTITY = tuple(ENTITIES.values())
_MOVABLE = (ENTITIES["instance"], ENTITIES["node"])
_SINK = (("<sink>",),)
_NODE = (("<node>",),)

SILENT = (
    "conn.fresh",
    "peer.lost",
    "peer.back",
    "log.checkpoint",
)
"""Defined so that readers are ready for them, but published by no service of this release."""

CATALOGUE: dict[str, Entry] = {
    "backend.up": Entry("health", _BACKEND, "a backend passes its checks"),
    "backend.down": Entry("health", _BACKEND, "a backend fails its checks: why, how often"),
    "backend.weight": Entry("health", _BACKEND, "checks or slow start gave it another weight"),
    "backend.held": Entry("health", _BACKEND, "it fails and serves on: `max_down` lets no more go"),
    "backend.seen": Entry("health", _BACKEND, "this node's own view, its vote, is another now"),
    "service.up": Entry("ipvs-writer", _SERVICE, "quorum gained, the sorry server is out"),
    "service.down": Entry("ipvs-writer", _SERVICE, "quorum lost, the sorry server is in"),
    "vrrp.master": Entry("vrrp", _INSTANCE, "this node owns the virtual addresses"),
    "vrrp.backup": Entry("vrrp", _INSTANCE, "another node owns them"),
    "vrrp.fault": Entry("vrrp", _INSTANCE, "this node cannot own them: why"),
    "vrrp.stopped": Entry("vrrp", _INSTANCE, "the instance is not run here any more"),
    "vrrp.priority": Entry("vrrp", _INSTANCE, "tracked objects moved its priority: which, why"),
    "vrrp.follows": Entry("vrrp", _INSTANCE, "a backup knows who is master, or that it is another"),
    "vrrp.alarm": Entry("vrrp", _INSTANCE, "a peer misbehaves (rate limited)"),
    "conn.sync": Entry(
        "ipvs-writer", (*_ALL, *_INSTANCE), "the kernel's connection sync daemon took a role"
    ),
    "conn.fresh": Entry("ipvs-writer", _ALL, "how many of the peer's connections are here"),
    "table.changed": Entry("ipvs-writer", _SERVICE, "the kernel accepted changes: which, why"),
    "table.recorded": Entry("ipvs-writer", _SERVICE, "the whole listing of a service"),
    "table.drift": Entry("ipvs-writer", _SERVICE, "the kernel differed from the log"),
    "table.refused": Entry("ipvs-writer", _SERVICE, "the kernel refused an operation: errno"),
    "config.applied": Entry("console", _CLUSTER, "a config as written, its revision and author"),
    "config.rejected": Entry(
        "console", _CLUSTER, "a config that was refused: why; the one before it stays"
    ),
    "operator.drain": Entry("console", _ENTITY, "no new connections: who, why, until when"),
    "operator.ready": Entry("console", _ENTITY, "back in service"),
    "operator.maint": Entry("console", _ENTITY, "out of the table"),
    "operator.weight": Entry("console", _ENTITY, "a weight set by hand"),
    "operator.failover": Entry("console", _MOVABLE, "hand the addresses over"),
    "notify.sent": Entry("notifier", _SINK, "a notification was delivered"),
    "notify.failed": Entry("notifier", _SINK, "a notification was given up: why"),
    "peer.lost": Entry("console", _NODE, "a peer is out of reach"),
    "peer.back": Entry("console", _NODE, "a peer is back"),
    "node.started": Entry(EVERY, _SERVICE, "a LibrA service started (epoch)"),
    "node.stopped": Entry(EVERY, _SERVICE, "a LibrA service ended in order"),
    "node.recovered": Entry(EVERY, _SERVICE, "what a service found of its past"),
    "log.checkpoint": Entry("ipvs-writer", _ALL, "chain heads and table digests of one moment"),
}

PUBLISHER_OF: dict[str, str] = {kind: entry.publisher for kind, entry in CATALOGUE.items()}
"""Event type -> the service that alone publishes it, or EVERY."""


SERVICES = tuple(dict.fromkeys(name for name in PUBLISHER_OF.values() if name != EVERY))
"""Every LibrA service that publishes."""


def may_publish(service: str, event_type: str, key: tuple[str, ...]) -> bool:
    """Tell whether *service* is who publishes *event_type* of *key*."""
    publisher = PUBLISHER_OF[event_type]
    return key == (service,) if publisher == EVERY else publisher == service
