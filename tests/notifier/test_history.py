"""Which sinks there were when, and where a sink begins."""

from typing import Any

import pytest

from libra_notifier.history import (
    Accepted,
    MalformedSinks,
    accepted,
    beginning,
    introduced,
    route,
    sinks_of,
)
from libra_notifier.progress import Receipts
from libra_schemas.canonical import digest
from libra_schemas.events import ConfigApplied

DOCUMENT: dict[str, Any] = {
    "version": 1,
    "notify": {"ops": {"webhook": {"url_file": "/x"}, "match": ["backend.*"]}},
}


def history(make: Any, **sinks: tuple[int, ...]) -> tuple[Accepted, ...]:
    """Make configs at sequences 10, 20, 30: each sink stands in those named."""
    return tuple(
        Accepted(at, {name: make.sink() for name, held in sinks.items() if at in held})
        for at in (10, 20, 30)
    )


def test_an_event_is_routed_by_the_config_before_it(make: Any) -> None:
    old, new = make.sink("backend.*"), make.sink("vrrp.*")
    configs = (Accepted(10, {"ops": old}), Accepted(20, {"ops": new}), Accepted(30, {}))
    assert [route(configs, "ops", at) for at in (10, 11, 20, 21, 31)] == [None, old, old, new, None]


def test_a_sink_was_introduced_where_its_unbroken_run_begins(make: Any) -> None:
    assert introduced(history(make, ops=(10, 20, 30)), "ops") == 10
    assert introduced(history(make, ops=(10, 30)), "ops") == 30
    assert introduced((), "ops") == 0


def test_a_sink_with_receipts_goes_on_after_them(make: Any) -> None:
    assert beginning(history(make, ops=(10, 20, 30)), "ops", 15, Receipts(25)) == 25


def test_a_sink_without_receipts_begins_where_it_was_configured(make: Any) -> None:
    assert beginning(history(make, ops=(20, 30)), "ops", 15, Receipts()) == 20


def test_the_first_start_replays_no_history(make: Any) -> None:
    assert beginning(history(make, ops=(10, 20, 30)), "ops", 5000, Receipts()) == 5000


def test_receipts_of_an_earlier_sink_of_the_same_name_do_not_count(make: Any) -> None:
    assert beginning(history(make, ops=(10, 30)), "ops", 5, Receipts(15)) == 30


def test_a_sink_known_only_from_the_kept_config_begins_at_the_start_or_after_its_receipts() -> None:
    assert beginning((Accepted(0, {}),), "ops", 7, Receipts()) == 7
    assert beginning((Accepted(0, {}),), "ops", 7, Receipts(3)) == 3


def applied(make: Any, document: dict[str, Any], hash_: str | None = None) -> Any:
    data = ConfigApplied(number=1, hash=hash_ or digest(document), document=document, author="eve")
    return make.notice("config.applied", ("cluster",), data).event


def test_an_applied_config_gives_its_sinks(make: Any) -> None:
    found = accepted(applied(make, DOCUMENT), 12)
    assert found.sequence == 12
    assert found.sinks["ops"].match == ("backend.*",)


def test_a_config_without_sinks_is_a_config() -> None:
    assert sinks_of({"version": 1}) == {}


def test_a_config_with_another_hash_is_refused(make: Any) -> None:
    with pytest.raises(MalformedSinks, match="hash"):
        accepted(applied(make, DOCUMENT, "0" * 64), 1)


def test_an_event_that_is_no_config_is_refused(make: Any) -> None:
    with pytest.raises(MalformedSinks, match="newer"):
        accepted(make.notice().event, 1)


TWO_KINDS = {"program": {"command": ["/bin/true"]}, "webhook": {"url_file": "/x"}}


@pytest.mark.parametrize(
    "document",
    [
        None,
        {"notify": {"ops": {"match": ["*.*"]}}},
        {"notify": {"ops": {"match": ["*.*"], **TWO_KINDS}}},
    ],
)
def test_sinks_that_cannot_be_read_are_refused(document: Any) -> None:
    with pytest.raises(MalformedSinks):
        sinks_of(document)


def test_the_reason_quotes_no_value() -> None:
    document = {"notify": {"ops": {"webhook": {"url": "https://secret.example"}, "match": ["*.*"]}}}
    with pytest.raises(MalformedSinks) as refusal:
        sinks_of(document)
    assert "notify.ops.webhook" in str(refusal.value)
    assert "secret" not in str(refusal.value)
