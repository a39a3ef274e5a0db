"""What was wanted at a moment: registers, the usable config, and what the kernel held."""

from datetime import UTC, datetime
from typing import Any

from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.envelope import NEW_CHAIN, Event
from libra_schemas.events import BackendState, ConfigApplied, EventData, ServiceState
from libra_schemas.intent.fold import Entry
from libra_schemas.intent.moment import Moment, moment
from libra_schemas.subjects import Subject
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable
from libra_schemas.target import target_of

WEB = ServiceKey.of("tcp", "192.0.2.10", 80)
W1, W2 = Destination("10.0.1.11", 80, weight=3), Destination("10.0.1.12", 80)
HELD = {WEB: ServiceTable.of(Service(WEB), [W2])}
DOCUMENT = {
    "version": 1,
    "nodes": {"a": {"address": "10.0.0.2"}},
    "services": {
        "web": {
            "address": "192.0.2.10:80",
            "quorum": 2,
            "hysteresis": 1,
            "backends": {"w1": {"address": "10.0.1.11:80", "weight": 3}, "w2": "10.0.1.12:80"},
        }
    },
}


def entry(sequence: int, kind: str, key: tuple[str, ...], data: EventData) -> Entry:
    head: dict[str, Any] = {
        "id": str(sequence),
        "source": "/lvs/a/x",
        "subject": "/".join(key),
        "time": datetime(2026, 1, 1, tzinfo=UTC),
        "dataschema": "x",
        "epoch": 1,
        "chainseq": "1",
        "chainprev": NEW_CHAIN,
    }
    return Entry(sequence, Subject("a", kind, key), Event.model_construct(**head, data=data))


def applied(sequence: int, document: dict[str, Any] = DOCUMENT, **more: Any) -> Entry:
    fields = {"number": sequence, "hash": digest(document), "author": "me", "document": document}
    data = ConfigApplied.model_validate(fields | more)
    return entry(sequence, "config.applied", ("cluster",), data)


def verdict(sequence: int, name: str, *, up: bool) -> Entry:
    service = Config.model_validate(DOCUMENT).services["web"]
    backend = service.backends[name]
    data = BackendState(
        service="web",
        backend=name,
        address=backend.address.address,
        port=80,
        protocol="tcp",
        target=target_of(service, backend),
        up=up,
    )
    return entry(sequence, "backend.up" if up else "backend.down", ("web", name), data)


def wanted(found: Moment) -> tuple[Destination, ...]:
    return found.wanted(HELD)[WEB].destinations


def test_before_the_first_config_nothing_was_wanted() -> None:
    found = moment("a", [verdict(1, "w1", up=True)])
    assert found.prepared is None
    assert found.wanted(HELD) == {}


def test_without_verdicts_what_the_kernel_held_was_wanted() -> None:
    found = moment("a", [applied(1)])
    assert found.wanted(HELD) == HELD
    assert found.wanted({}) == {WEB: ServiceTable.of(Service(WEB))}


def test_verdicts_are_joined_with_what_the_kernel_held() -> None:
    assert wanted(moment("a", [applied(1), verdict(2, "w1", up=True)])) == (W1, W2)
    assert wanted(moment("a", [verdict(3, "w2", up=False), applied(1)])) == ()


def test_the_pools_last_verdict_counts_for_its_hysteresis() -> None:
    sorry = DOCUMENT | {
        "services": {"web": DOCUMENT["services"]["web"] | {"sorry": "10.0.1.99:80", "quorum": 3}}  # type: ignore[index]  # a mapping, see above
    }
    down = ServiceState(
        service="web", up=False, live_weight=0, quorum=3, hysteresis=1, eligible=0, backends=2
    )
    heard = [applied(1, sorry), verdict(3, "w1", up=True), verdict(4, "w2", up=False)]
    assert wanted(moment("a", heard)) == (W1,)
    after = [*heard, entry(2, "service.down", ("web",), down)]
    assert wanted(moment("a", after)) == (Destination("10.0.1.99", 80),)


def test_a_config_that_cannot_be_used_leaves_the_one_before_in_force() -> None:
    found = moment("a", [applied(1), applied(2, {"version": 1}), applied(3, hash="0" * 64)])
    assert found.unusable == (3, 2)
    assert found.wanted(HELD) == HELD
    assert moment("a", [applied(2, {"version": 1})]).unusable == (2,)
