from datetime import UTC, datetime
from typing import Any

import pytest

from libra_schemas.catalogue import PUBLISHER_OF
from libra_schemas.config import Config
from libra_schemas.envelope import NEW_CHAIN, Draft, Link, decode, encode
from libra_schemas.events import AdminState, BackendState, ServiceState
from libra_schemas.events.common import Data
from libra_schemas.intent.desired import (
    AsFound,
    In,
    Out,
    Place,
    Wanted,
    desired,
    last_verdict,
    settle,
)
from libra_schemas.intent.fold import Entry, State, fold
from libra_schemas.intent.prepared import prepare
from libra_schemas.subjects import Subject
from libra_schemas.table import Destination, ServiceKey, ServiceTable, Tunnel
from libra_schemas.target import target_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
W1, W2, SORRY = ("10.0.0.1", 80), ("10.0.0.2", 80), ("10.0.0.9", 80)


def config(**service: Any) -> Config:
    return Config.model_validate(
        {
            "version": 1,
            "nodes": {"a": {"address": "10.0.0.100"}},
            "services": {
                "web": {
                    "address": "192.0.2.10:80",
                    "sorry": "10.0.0.9:80",
                    "backends": {
                        "w1": {"address": "10.0.0.1:80", "weight": 3},
                        "w2": "10.0.0.2:80",
                    },
                    **service,
                }
            },
        }
    )


def stored(state: State, kind: str, key: tuple[str, ...], data: Data) -> State:
    subject = Subject("a", kind, key)
    raw = encode(
        Draft(kind, key, data, "x", NOW),  # type: ignore[arg-type]  # every Data here is EventData
        Link("a", PUBLISHER_OF[kind], 1, 1, NEW_CHAIN),
    )
    _, event = decode(str(subject), raw)
    return fold(state, [Entry(len(state) + 1000, subject, event)])[0]


def verdict(state: State, made: Config, backend: str, *, up: bool, **more: Any) -> State:
    service = made.services["web"]
    chosen = service.backends[backend]
    fields = {
        "service": "web",
        "backend": backend,
        "address": chosen.address.address,
        "port": chosen.address.port,
        "protocol": "tcp",
        "target": target_of(service, chosen),
        "up": up,
        **more,
    }
    kind = "backend.up" if up else "backend.down"
    return stored(state, kind, ("web", backend), BackendState.model_validate(fields))


def admin(state: State, key: tuple[str, ...], mode: str, **more: Any) -> State:
    data = AdminState.model_validate({"entity": key, "mode": mode, "who": "op", **more})
    return stored(state, f"operator.{mode}", key, data)


def want(state: State, made: Config, *, was_up: bool | None = None) -> Wanted:
    return desired(state, prepare(made, "a"), "web", was_up=was_up)


def weight(place: Place) -> int:
    assert isinstance(place, In)
    return place.destination.weight


def test_without_verdicts_the_table_stays_as_found() -> None:
    made = config()
    wanted = want({}, made)
    assert wanted.places == {W1: AsFound(), W2: AsFound(), SORRY: AsFound()}
    assert not wanted.sorry
    held = ServiceTable.of(wanted.service, [Destination(*W1, weight=7)])
    assert settle(wanted, held) == held
    assert settle(wanted, None) == ServiceTable.of(wanted.service)


def test_a_backend_that_is_up_is_in_with_its_weight() -> None:
    made = config()
    wanted = want(verdict({}, made, "w1", up=True), made)
    assert weight(wanted.places[W1]) == 3
    assert wanted.places[W2] == AsFound()
    assert wanted.places[SORRY] == Out()


def test_a_backend_that_is_down_is_out() -> None:
    made = config()
    state = verdict(verdict({}, made, "w1", up=True), made, "w2", up=False)
    assert want(state, made).places[W2] == Out()


def test_on_failure_quiesce_keeps_it_with_weight_0() -> None:
    made = config(on_failure="quiesce")
    state = verdict(verdict({}, made, "w1", up=True), made, "w2", up=False)
    assert weight(want(state, made).places[W2]) == 0


def test_a_verdict_against_another_target_does_not_count() -> None:
    state = verdict({}, config(), "w1", up=True)
    moved = config(check="icmp")
    assert want(state, moved).places[W1] == AsFound()


def test_the_last_backend_down_brings_the_sorry_server() -> None:
    made = config()
    state = verdict(verdict({}, made, "w1", up=False), made, "w2", up=False)
    wanted = want(state, made)
    assert wanted.sorry
    assert wanted.places[W1] == Out()
    assert wanted.places[SORRY] == In(Destination(*SORRY, weight=1))


def test_below_quorum_the_live_ones_leave_with_the_sorry_server_in() -> None:
    made = config(quorum=4)
    state = verdict(verdict({}, made, "w1", up=True), made, "w2", up=False)
    wanted = want(state, made)
    assert wanted.verdict.up is False
    assert wanted.places[W1] == Out()


def test_below_quorum_without_a_sorry_server_the_live_ones_stay() -> None:
    made = config(quorum=4, sorry=None)
    state = verdict(verdict({}, made, "w1", up=True), made, "w2", up=False)
    assert weight(want(state, made).places[W1]) == 3


def test_a_drained_backend_stays_with_weight_0_and_the_service_stays_up() -> None:
    made = config()
    state = verdict(verdict({}, made, "w1", up=True), made, "w2", up=False)
    wanted = want(admin(state, ("backend", "web", "w1"), "drain"), made, was_up=True)
    assert weight(wanted.places[W1]) == 0
    assert wanted.verdict.up is True


def test_a_backend_in_maintenance_is_out() -> None:
    made = config()
    state = verdict({}, made, "w1", up=True)
    assert want(admin(state, ("node", "a"), "maint"), made).places[W1] == Out()


@pytest.mark.parametrize(
    ("admin_weight", "checked", "held", "expected"),
    [
        pytest.param(None, None, False, 3, id="the-configs"),
        pytest.param(None, 5, False, 5, id="the-checks"),
        pytest.param(9, 5, False, 9, id="the-operators"),
        pytest.param(None, None, True, 1, id="held-at-the-lowest"),
        pytest.param(None, 0, True, 0, id="held-without-a-weight"),
        pytest.param(9, 1, True, 1, id="held-whatever-the-operators"),
        pytest.param(0, 1, True, 0, id="held-and-quiesced"),
    ],
)
def test_whose_weight_holds(
    admin_weight: int | None, checked: int | None, held: bool, expected: int
) -> None:
    made = config()
    state = verdict({}, made, "w1", up=not held, held=held, weight=checked)
    if admin_weight is not None:
        state = admin(state, ("backend", "web", "w1"), "ready", weight=admin_weight)
    assert weight(want(state, made).places[W1]) == expected


def test_assume_up_takes_unchecked_backends_in() -> None:
    made = config(assume_up=True)
    assert weight(want({}, made).places[W2]) == 1


def test_a_backend_that_was_down_is_not_assumed_up_because_its_check_changed() -> None:
    slower = config(assume_up=True, check={"tcp": {}, "every": "2s"})
    state = verdict({}, config(assume_up=True, check="tcp"), "w1", up=False)
    wanted = want(state, slower)
    assert isinstance(wanted.places[W1], AsFound)
    assert weight(wanted.places[W2]) == 1
    moved = config(assume_up=True, backends={"w1": "10.0.0.2:80"})
    assert weight(want(state, moved).places[W2]) == 1


def test_a_backend_without_a_port_has_its_services() -> None:
    made = config(address=None, fwmark=7, protocol="tcp", backends={"w1": "10.0.0.1"}, sorry=None)
    wanted = want({}, made)
    assert list(wanted.places) == [("10.0.0.1", 0)]
    assert wanted.service.key == ServiceKey.marked(7)


def test_a_tunnelled_backend_says_how() -> None:
    made = config(forward="tun")
    place = want(verdict({}, made, "w1", up=True), made).places[W1]
    assert isinstance(place, In)
    assert place.destination.tunnel == Tunnel("ipip")


def test_scheduler_flags_have_the_kernels_names() -> None:
    made = config(scheduler="mh", flags=["mh-port", "mh-fallback"])
    assert want({}, made).service.flags == ("flag-1", "flag-2")


def test_the_last_verdict_comes_from_the_log() -> None:
    made = config()
    assert last_verdict({}, "web") is None
    data = ServiceState(
        service="web", up=False, live_weight=0, quorum=1, hysteresis=0, eligible=0, backends=2
    )
    assert last_verdict(stored({}, "service.down", ("web",), data), "web") is False
    assert prepare(made, "a").names[ServiceKey.of("tcp", "192.0.2.10", 80)] == "web"


def test_what_is_out_is_not_settled_into_the_table() -> None:
    made = config()
    wanted = want(verdict(verdict({}, made, "w1", up=True), made, "w2", up=False), made)
    held = ServiceTable.of(wanted.service, [Destination(*W2), Destination(*SORRY)])
    assert [each.key for each in settle(wanted, held).destinations] == [W1]


def test_one_backend_in_maintenance_is_out_while_the_other_serves() -> None:
    made = config()
    state = verdict(verdict({}, made, "w1", up=True), made, "w2", up=True)
    wanted = want(admin(state, ("backend", "web", "w1"), "maint"), made)
    assert wanted.places[W1] == Out()
    assert weight(wanted.places[W2]) == 1
