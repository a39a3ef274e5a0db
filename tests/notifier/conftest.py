"""Events and sinks that several tests tell of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from libra_notifier.notice import Notice
from libra_schemas.config.notify import SinkConfig
from libra_schemas.envelope import NEW_CHAIN, Draft, Link, decode, encode
from libra_schemas.events import BackendState, EventData, Evidence
from libra_schemas.nats import PUBLISHES
from libra_schemas.subjects import Subject

WHEN = datetime(2026, 11, 22, 3, 12, 5, 250000, tzinfo=UTC)


def publisher(kind: str) -> str:
    """Name the service that publishes events of *kind*."""
    first = kind.split(".", maxsplit=1)[0]
    return next((name for name, words in PUBLISHES.items() if first in words), "health")


class Maker:
    """Makes what the tests tell of; every event has another id."""

    def __init__(self) -> None:
        self.count = 0

    def sink(self, *match: str, **more: Any) -> SinkConfig:
        kinds = {"webhook", "email", "program"}
        kind = {} if kinds & more.keys() else {"webhook": {"url_file": "/nowhere"}}
        return SinkConfig.model_validate({**kind, "match": match or ("*.*",), **more})

    def down(self, backend: str = "w1", *, up: bool = False, detail: str = "") -> BackendState:
        evidence = Evidence(probe="tcp", reason="refused", detail=detail, attempt=3, needed=3)
        return BackendState.model_validate(
            {
                "service": "web",
                "backend": backend,
                "address": "10.0.1.11",
                "port": 80,
                "protocol": "tcp",
                "target": "0" * 64,
                "up": up,
                "evidence": (evidence,),
            }
        )

    def draft(self, kind: str, key: tuple[str, ...], data: EventData) -> Draft:
        self.count += 1
        return Draft(kind, key, data, f"id-{self.count}", WHEN)

    def notice(
        self, kind: str = "backend.down", key: tuple[str, ...] = ("web", "w1"), data: Any = None
    ) -> Notice:
        link = Link("a", publisher(kind), 1, 1, NEW_CHAIN)
        raw = encode(self.draft(kind, key, data or self.down()), link)
        subject, event = decode(str(Subject("a", kind, key)), raw)
        return Notice("ops", event, subject, raw, 1234)


@pytest.fixture
def make() -> Maker:
    return Maker()
