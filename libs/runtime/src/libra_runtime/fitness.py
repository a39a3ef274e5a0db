"""Which nats-server may hold the log: new enough, large enough, and honest about the disk."""

import json

from libra_runtime.journal import JournalUnavailable, OldServer
from libra_schemas.nats import MAX_PAYLOAD, MIN_SERVER


def require_fit(version: str, max_payload: int) -> None:
    """Raise OldServer where a server's greeting says that it cannot hold the log."""
    if version_of(version) < MIN_SERVER:
        least = ".".join(map(str, MIN_SERVER))
        raise OldServer(f"nats-server {version} is too old; LibrA needs {least} or newer")
    if max_payload < MAX_PAYLOAD:
        raise OldServer(f"nats-server accepts {max_payload} bytes; set max_payload: {MAX_PAYLOAD}")


def require_durable(varz: bytes) -> None:
    """Raise OldServer where the server acknowledges before the disk has it.

    Raise JournalUnavailable where its JetStream is off: it ends it where the disk takes no more.
    """
    jetstream = json.loads(varz).get("data", {}).get("jetstream", {})
    if not jetstream.get("config"):
        raise JournalUnavailable(
            "JetStream is off, as a full disk leaves it: make room; a nats-server of your own must "
            "then be started again"
        )
    if not jetstream["config"].get("sync_always"):
        raise OldServer(
            "nats-server acknowledges before the disk has it; set sync_interval: always"
        )


def version_of(text: str) -> tuple[int, ...]:
    """Read `2.15.1` or `v2.12.0-RC.1` as numbers; a pre-release counts as its release."""
    numbers = text.strip().removeprefix("v").split("-")[0].split(".")
    return tuple(int(number) for number in numbers if number.isdecimal())
