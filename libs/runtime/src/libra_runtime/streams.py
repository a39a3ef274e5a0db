"""The streams of a node: LOG, STATE and DEAD, made by the admin identity alone (design §3)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from libra_runtime.session import NO_STREAM, ApiError, Session
from libra_schemas.subjects import DEAD, LOG, REGISTER_OF, STATE

_MEBIBYTE = 1024 * 1024

LARGEST = 4096 * _MEBIBYTE
"""Bytes of log that a node keeps where the disk has room."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the log a node keeps: age and bytes, whichever is reached first."""

    age: timedelta = timedelta(days=90)
    size: int = LARGEST
    messages: int = -1

    @classmethod
    def of_disk(cls, size: int) -> "Limits":
        """Choose limits for a disk of *size* bytes: a quarter of it, but no more than 4 GiB."""
        return cls(size=min(LARGEST, size // 4))


async def init_streams(session: Session, node: str, limits: Limits | None = None) -> None:
    """Make the streams of *node*, or bring them to this release's settings; idempotent.

    *session* belongs to the admin user. Raise ApiError where the server refuses.
    """
    log = log_stream(node, limits or Limits())
    for config in (log, state_stream(node), dead_stream(node)):
        await _ensure(session, config)


async def _ensure(session: Session, config: dict[str, Any]) -> None:
    name = config["name"]
    try:
        await session.api(f"$JS.API.STREAM.INFO.{name}")
    except ApiError as error:
        if error.code != NO_STREAM:
            raise
        await session.api(f"$JS.API.STREAM.CREATE.{name}", config)
    else:
        await session.api(f"$JS.API.STREAM.UPDATE.{name}", config)


def log_stream(node: str, limits: Limits) -> dict[str, Any]:
    """Describe LOG: every event of the node, in one order; nobody deletes or purges."""
    return {
        "name": LOG,
        "subjects": [f"lvs.{node}.>"],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "num_replicas": 1,
        "max_age": _nanoseconds(limits.age),
        "max_bytes": limits.size,
        "max_msgs": limits.messages,
        "duplicate_window": _nanoseconds(timedelta(minutes=2)),
        "deny_delete": True,
        "deny_purge": True,
        "allow_rollup_hdrs": False,
        "allow_direct": True,
        "allow_atomic": True,
        "republish": {
            "src": f"lvs.{node}.*.*.>",
            "dest": f"{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}.{node}.>",
        },
    }


def state_stream(node: str) -> dict[str, Any]:
    """Describe STATE: the newest event of every register, for ever, kept by the server itself."""
    transforms = [
        {"src": f"lvs.{node}.{kind}.>", "dest": f"state.{node}.{register}.>"}
        for kind, register in REGISTER_OF.items()
    ]
    return {
        "name": STATE,
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "num_replicas": 1,
        "max_msgs_per_subject": 1,
        "allow_direct": True,
        "sources": [{"name": LOG, "subject_transforms": transforms}],
    }


def dead_stream(node: str) -> dict[str, Any]:
    """Describe DEAD: what readers could not accept, for 7 days and 64 MiB."""
    return {
        "name": DEAD,
        "subjects": [f"dead.{node}.*"],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "num_replicas": 1,
        "max_age": _nanoseconds(timedelta(days=7)),
        "max_bytes": 64 * _MEBIBYTE,
        "duplicate_window": _nanoseconds(timedelta(minutes=2)),
        "allow_direct": True,
    }


def _nanoseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1) * 1000
