"""The plan leads from what the kernel holds to what is desired, and harms nobody on the way."""

from collections.abc import Mapping
from typing import assert_never

from hypothesis import given
from hypothesis import strategies as st

from libra_ipvs_writer.plan import Plan, Step, merge, plan
from libra_schemas.operations import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Operation,
    SetDestination,
    SetService,
    apply_operations,
)
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable

WEB = ServiceKey.of("tcp", "192.0.2.10", 80)
DNS = ServiceKey.of("udp", "2001:db8::10", 53)
MARK = ServiceKey.marked(7)
Held = Mapping[ServiceKey, ServiceTable]

services = st.builds(
    Service, key=st.just(WEB), scheduler=st.sampled_from(("rr", "wlc")), persistence=st.just(0)
)
destinations = st.builds(
    Destination,
    address=st.sampled_from(("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9")),
    port=st.just(80),
    forward=st.sampled_from(("nat", "dr")),
    weight=st.integers(0, 2),
)


def table_of(key: ServiceKey) -> st.SearchStrategy[ServiceTable]:
    return st.builds(
        ServiceTable.of,
        services.map(lambda service: Service(key, service.scheduler)),
        st.lists(destinations, max_size=4),
    )


tables = st.fixed_dictionaries({}, optional={key: table_of(key) for key in (WEB, DNS, MARK)})


def accepts(held: Held, operation: Operation) -> bool:
    """Tell whether the kernel would accept *operation*: no EEXIST, no ENOENT, no ESRCH."""
    there = held.get(operation.key)
    match operation:
        case AddService():
            return there is None
        case SetService() | DeleteService():
            return there is not None
        case AddDestination():
            return there is not None and operation.destination.key not in keys_in(there)
        case SetDestination():
            return there is not None and operation.destination.key in keys_in(there)
        case DeleteDestination():
            return there is not None and (operation.address, operation.port) in keys_in(there)
        case _:
            assert_never(operation)


def keys_in(table: ServiceTable) -> set[tuple[str, int]]:
    return {each.key for each in table.destinations}


def usable(held: Held, key: ServiceKey) -> bool:
    return key in held and any(each.weight > 0 for each in held[key].destinations)


def perform(held: Held, planned: Plan, refused: set[int]) -> list[Held]:
    """Give every state on the way, the kernel refusing the steps numbered in *refused*."""
    done: set[Operation] = set()
    way = [held]
    for number, step in enumerate(planned.steps):
        if step.needs and not done.intersection(step.needs):
            continue
        if number not in refused and accepts(way[-1], step.operation):
            done.add(step.operation)
            way.append(apply_operations(way[-1], [step.operation]))
    return way


@given(tables, tables)
def test_performing_the_plan_yields_the_desired_table(desired: Held, actual: Held) -> None:
    assert perform(actual, plan(desired, actual), set())[-1] == desired


@given(tables, tables)
def test_the_kernel_has_no_reason_to_refuse_a_step(desired: Held, actual: Held) -> None:
    planned = plan(desired, actual)
    assert len(perform(actual, planned, set())) == len(planned.steps) + 1


@given(tables)
def test_an_agreeing_kernel_needs_no_plan(held: Held) -> None:
    assert not plan(held, held)


@given(tables, tables, st.sets(st.integers(0, 20)))
def test_no_service_that_shall_serve_is_left_without_a_usable_destination(
    desired: Held, actual: Held, refused: set[int]
) -> None:
    for key in desired:
        if usable(actual, key) and usable(desired, key):
            way = perform(actual, plan(desired, actual), refused)
            assert all(usable(held, key) for held in way)


@given(tables, tables, st.sets(st.integers(0, 20)))
def test_planning_again_after_refusals_still_leads_to_the_desired_table(
    desired: Held, actual: Held, refused: set[int]
) -> None:
    halfway = perform(actual, plan(desired, actual), refused)[-1]
    assert perform(halfway, plan(desired, halfway), set())[-1] == desired


def web(*destinations: Destination) -> dict[ServiceKey, ServiceTable]:
    return {WEB: ServiceTable.of(Service(WEB, "rr"), destinations)}


W1, W2 = Destination("10.0.0.1", 80), Destination("10.0.0.2", 80)
SORRY = Destination("10.0.0.9", 80)


def test_the_sorry_server_goes_in_before_the_last_backend_comes_out() -> None:
    planned = plan(web(SORRY), web(W1))
    assert planned.additive == (Step(AddDestination(WEB, SORRY)),)
    assert planned.destructive == (
        Step(DeleteDestination(WEB, "10.0.0.1", 80), (AddDestination(WEB, SORRY),)),
    )


def test_a_dead_backend_leaves_even_when_an_unrelated_one_cannot_be_added() -> None:
    planned = plan(web(W1, SORRY), web(W1, W2))
    assert planned.destructive == (Step(DeleteDestination(WEB, "10.0.0.2", 80)),)


def test_a_weight_is_changed_in_place() -> None:
    heavier = Destination("10.0.0.1", 80, weight=5)
    assert plan(web(heavier), web(W1)).steps == (Step(SetDestination(WEB, heavier)),)


def test_the_last_weight_is_taken_away_only_after_another_came() -> None:
    drained = Destination("10.0.0.1", 80, weight=0)
    planned = plan(web(drained, W2), web(W1))
    assert planned.destructive == (Step(SetDestination(WEB, drained), (AddDestination(WEB, W2),)),)


def test_a_service_that_moves_keeps_its_old_address_until_the_new_one_stands() -> None:
    moved = {DNS: ServiceTable.of(Service(DNS), [W1])}
    planned = plan(moved, web(W1))
    assert planned.destructive == (Step(DeleteService(WEB), (AddService(Service(DNS)),)),)


def test_merging_keeps_every_addition_before_every_removal() -> None:
    one, other = plan(web(W1), {}), plan({}, web(W2))
    merged = merge([other, one])
    assert merged.additive == one.additive
    assert merged.destructive == other.destructive
