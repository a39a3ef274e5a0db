import pytest

from libra_health.checks import TcpSpec
from libra_health.dialogue import Dialogue
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.probes import Probe
from libra_health.rows import NoSuchBackend, row_of, rows_of, watch_of
from libra_health.verdict.watch import Lookout, Watch
from libra_health.wire import Target


def watched(service: str, backend: str, *ports: int) -> Watch:
    probes = [Probe(Target("10.0.1.11", port), TcpSpec(), 1.0, 0.5) for port in ports]
    lookouts = tuple(Lookout(probe, 2, 3, f"tcp {probe.target}") for probe in probes)
    return Watch((service, backend), "10.0.1.11", 80, "tcp", "digest", lookouts)


WEB = watched("web", "w1", 80, 81)
WATCHES = (WEB, watched("web", "w2", 80), watched("dns", "d1"))
EMPTY = {"require": "all", "reason": "", "detail": "", "hint": "", "weight": None, "ms": None}


def test_a_backend_is_found_by_service_and_name() -> None:
    assert watch_of(WATCHES, "web/w1") is WEB


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("web/w9", "service web has no backend 'w9': it has w1, w2"),
        ("mail/m1", "the config has no service 'mail': it has dns, web"),
        ("web", "service web has no backend '': it has w1, w2"),
    ],
)
def test_who_names_what_is_not_there_is_told_what_is(name: str, told: str) -> None:
    with pytest.raises(NoSuchBackend) as refused:
        watch_of(WATCHES, name)
    assert str(refused.value) == told


def test_many_names_are_not_all_told() -> None:
    many = [watched("web", f"w{n:02}", 80) for n in range(30)]
    with pytest.raises(NoSuchBackend, match="w19 and 10 more"):
        watch_of(many, "web/x")
    with pytest.raises(NoSuchBackend, match="it has none"):
        watch_of([], "web/x")


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Passed(0.0012), {"result": "passed", "ms": 1.2}),
        (Passed(0.0, 40, "busy"), {"result": "passed", "weight": 40, "detail": "busy", "ms": 0.0}),
        (
            Failed(Reason.STATUS, "status 503\n", 0.5),
            {"result": "failed", "reason": "status", "detail": "status 503", "ms": 500.0},
        ),
        (
            Errored(Reason.DESCRIPTORS, "EMFILE"),
            {
                "result": "error",
                "reason": "descriptors",
                "detail": "EMFILE",
                "hint": "raise the limit of open files",
            },
        ),
    ],
)
def test_an_outcome_is_a_row(outcome: Outcome, told: dict[str, object]) -> None:
    place = {"service": "web", "backend": "w1", "check": "tcp 10.0.1.11:80"}
    assert row_of(WEB, WEB.lookouts[0], outcome) == EMPTY | place | told


def test_a_secret_that_came_back_is_in_no_row() -> None:
    failed = Failed(Reason.STATUS, "'what is hunter2?'")
    row = row_of(WEB, WEB.lookouts[0], failed, Dialogue((b"hunter2",)))
    assert row["detail"] == "'what is (secret)?'"


def test_there_is_a_row_for_every_check_and_for_a_backend_without_any() -> None:
    rows = [row for watch in WATCHES for row in rows_of(watch, lambda _: Passed(0.0))]
    assert [(row["backend"], row["check"], row["result"]) for row in rows] == [
        ("w1", "tcp 10.0.1.11:80", "passed"),
        ("w1", "tcp 10.0.1.11:81", "passed"),
        ("w2", "tcp 10.0.1.11:80", "passed"),
        ("d1", "", "unchecked"),
    ]
