"""Operations: their JSON, and what replaying them makes of a table."""

import pytest

from libra_schemas.operations import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Operation,
    SetDestination,
    SetService,
    apply_operations,
    apply_to,
    from_json,
    to_json,
)
from libra_schemas.reading import MalformedTable
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable

KEY = ServiceKey.of("tcp", "192.0.2.10", 80)
OTHER = ServiceKey.marked(7)
SERVICE = Service(KEY, "rr")
W1 = Destination("10.0.1.11", 80, "dr", 3)
W2 = Destination("10.0.1.12", 80)


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(each, id=each.op)
        for each in (
            AddService(SERVICE),
            SetService(Service(KEY, "wrr", persistence=300)),
            DeleteService(OTHER),
            AddDestination(KEY, W1),
            SetDestination(KEY, W2),
            DeleteDestination(KEY, "2001:db8::1", 53),
        )
    ],
)
def test_an_operation_survives_its_json(operation: Operation) -> None:
    assert to_json(operation)["op"] == operation.op
    assert from_json(to_json(operation)) == operation


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([], id="list"),
        pytest.param({"op": "flush", "key": {"protocol": "fwmark", "fwmark": 1}}, id="unknown"),
        pytest.param({"op": "delete_service"}, id="no-key"),
        pytest.param(
            {"op": "delete_destination", "key": {"protocol": "fwmark", "fwmark": 1}},
            id="no-destination",
        ),
    ],
)
def test_json_that_is_no_operation_is_refused(value: object) -> None:
    with pytest.raises(MalformedTable):
        from_json(value)


def test_a_replay_builds_the_table() -> None:
    built = apply_operations(
        {},
        [
            AddService(SERVICE),
            AddDestination(KEY, W2),
            AddDestination(KEY, W1),
            SetDestination(KEY, Destination("10.0.1.12", 80, weight=5)),
        ],
    )
    assert built == {KEY: ServiceTable.of(SERVICE, [W1, Destination("10.0.1.12", 80, weight=5)])}


def test_a_replay_leaves_other_services_and_the_given_table_alone() -> None:
    given = {
        KEY: ServiceTable.of(SERVICE, [W1, W2]),
        OTHER: ServiceTable.of(Service(OTHER, "wlc"), [W1]),
    }
    after = apply_operations(
        given, [DeleteDestination(KEY, "10.0.1.11", 80), SetService(Service(KEY, "lc"))]
    )
    assert after[KEY] == ServiceTable.of(Service(KEY, "lc"), [W2])
    assert after[OTHER] == given[OTHER]
    assert given[KEY] == ServiceTable.of(SERVICE, [W1, W2])


def test_a_replay_in_place_gives_the_same_and_keeps_the_rest_where_it_is() -> None:
    given = {
        KEY: ServiceTable.of(SERVICE, [W1, W2]),
        OTHER: ServiceTable.of(Service(OTHER, "wlc"), [W1]),
    }
    done: list[Operation] = [DeleteDestination(KEY, "10.0.1.11", 80), DeleteService(OTHER)]
    wanted, own = apply_operations(given, done), dict(given)
    apply_to(own, done[:1])
    assert own[OTHER] is given[OTHER]
    apply_to(own, done[1:])
    assert own == wanted


def test_a_deleted_service_takes_its_destinations_along() -> None:
    given = {KEY: ServiceTable.of(SERVICE, [W1])}
    after = apply_operations(given, [DeleteService(KEY), AddService(SERVICE)])
    assert after == {KEY: ServiceTable.of(SERVICE)}


def test_deleting_what_is_not_there_changes_nothing() -> None:
    assert apply_operations({}, [DeleteDestination(KEY, "10.0.1.11", 80), DeleteService(KEY)]) == {}
