"""What the writer says of its work."""

import re
from datetime import UTC, datetime
from errno import ENOENT

from hypothesis import given
from hypothesis import strategies as st

from libra_ipvs_writer.outcome import Result
from libra_ipvs_writer.report import (
    Motive,
    changes,
    digest_of,
    drift,
    motive_of,
    record,
    refusal,
    slug,
    verdict,
)
from libra_ipvs_writer.touch import Cause
from libra_schemas.intent.desired import Wanted
from libra_schemas.intent.pool import Verdict
from libra_schemas.model import NAME_PATTERN
from libra_schemas.operations import (
    AddDestination,
    AddService,
    DeleteDestination,
    Operation,
    apply_operations,
    from_json,
)
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable, table_from_json

WEB = ServiceKey.of("tcp", "192.0.2.10", 80)
W1, W2 = Destination("10.0.0.1", 80), Destination("10.0.0.2", 80)
HELD = {WEB: ServiceTable.of(Service(WEB), [W1])}
CAUSES = (
    Cause("e1", datetime(2026, 1, 1, tzinfo=UTC), "backend.down web/w1", "w1"),
    Cause("e2", datetime(2026, 1, 1, tzinfo=UTC), "config.applied cluster"),
)


def test_a_change_says_operations_reasons_and_the_resulting_digest() -> None:
    done: list[Operation] = [AddDestination(WEB, W2), DeleteDestination(WEB, "10.0.0.1", 80)]
    motive = motive_of(CAUSES, {"w1": W2.key})
    (data,) = changes("web", WEB, HELD, done, motive, 5)
    assert [from_json(each.operation) for each in data.operations] == done
    assert [each.why for each in data.operations] == ["backend.down web/w1"] * 2
    assert data.digest == digest_of(ServiceTable.of(Service(WEB), [W2]))
    assert (data.present, data.changes, data.causes.ids) == (True, 6, ("e1", "e2"))


def test_without_a_cause_a_change_has_no_reason() -> None:
    (data,) = changes("web", WEB, HELD, [AddDestination(WEB, W2)], Motive(), 0)
    assert data.operations[0].why == ""


def test_many_operations_are_told_in_several_events_that_replay_to_the_table() -> None:
    done: list[Operation] = [
        AddService(Service(WEB)),
        *(AddDestination(WEB, Destination(f"10.0.{n // 250}.{n % 250}", 80)) for n in range(450)),
    ]
    told = list(changes("web", WEB, {}, done, Motive(), 0))
    assert [len(each.operations) for each in told] == [100, 100, 100, 100, 51]
    replayed = apply_operations({}, [from_json(o.operation) for e in told for o in e.operations])
    assert told[-1].digest == digest_of(replayed[WEB])
    assert max(len(each.model_dump_json()) for each in told) < 60_000


def test_a_listing_reads_back_as_the_table() -> None:
    data = record("web", "adopted", HELD[WEB])
    assert table_from_json(data.table) == HELD[WEB]
    assert record("web", "start", None).digest == digest_of(None)


def test_a_refusal_says_the_errno_and_how_many_steps_it_cancelled() -> None:
    add = AddService(Service(WEB, "twos"))
    results = [Result(add, "refused", ENOENT), Result(AddDestination(WEB, W1), "cancelled")]
    data = refusal("web", results, 2, 2000.0)
    assert (data.errno, data.error) == (ENOENT, results[0].error)
    assert (data.attempt, data.retry_ms, data.cancelled) == (2, 2000.0, 1)


def test_a_verdict_says_the_arithmetic() -> None:
    pool = Verdict(False, 1, 2, 0, 1, 3)
    data = verdict(Wanted("web", Service(WEB), {}, pool, sorry=True), CAUSES)
    assert data.why == "backend.down web/w1; config.applied cluster"
    assert (data.up, data.sorry, data.eligible, data.backends) == (False, True, 1, 3)


def test_a_drift_names_every_difference() -> None:
    now = ServiceTable.of(
        Service(WEB, "rr"), [Destination("10.0.0.1", 80, weight=9), Destination("10.0.0.3", 80)]
    )
    before = ServiceTable.of(Service(WEB), [W1, W2])
    assert drift("web", before, now, ours=True).differences == (
        "tcp 192.0.2.10:80 has other attributes: rr",
        "10.0.0.1:80 has weight 9 instead of 1",
        "10.0.0.2:80 is gone",
        "10.0.0.3:80 appeared",
    )
    moved = ServiceTable.of(Service(WEB), [Destination("10.0.0.1", 80, "dr")])
    assert drift("web", HELD[WEB], moved, ours=True).differences == (
        "10.0.0.1:80 has other attributes: dr",
    )


def test_a_service_that_appeared_or_went_is_named() -> None:
    assert drift("x", None, HELD[WEB], ours=False).differences == ("tcp 192.0.2.10:80 appeared",)
    assert drift("web", HELD[WEB], None, ours=True).differences == ("tcp 192.0.2.10:80 is gone",)


keys = st.one_of(
    st.builds(
        ServiceKey.of,
        st.sampled_from(("tcp", "udp", "sctp")),
        st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str),
        st.integers(0, 65535),
    ),
    st.builds(ServiceKey.marked, st.integers(1, 2**32 - 1), st.sampled_from((4, 6))),
)


@given(keys)
def test_a_foreign_service_has_a_name_that_fits_a_subject(key: ServiceKey) -> None:
    assert re.fullmatch(NAME_PATTERN, slug(key))
