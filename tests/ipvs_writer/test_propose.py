"""Each touched service gets a plan of its own, and nobody takes what another wants."""

from typing import Any

from libra_ipvs_writer.outcome import Result, by_key
from libra_ipvs_writer.plan import Step
from libra_ipvs_writer.propose import propose
from libra_schemas.config import Config
from libra_schemas.intent.prepared import Prepared, prepare
from libra_schemas.operations import AddDestination, AddService, DeleteService
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable

WEB, OLD = ServiceKey.of("tcp", "192.0.2.10", 80), ServiceKey.of("tcp", "192.0.2.9", 80)
W1 = Destination("10.0.0.1", 80)


def prepared(**services: str) -> Prepared:
    document: dict[str, Any] = {
        "version": 1,
        "nodes": {"a": {"address": "10.0.0.100"}},
        "services": {
            name: {"address": address, "assume_up": True, "backends": {"w1": "10.0.0.1:80"}}
            for name, address in services.items()
        },
    }
    return prepare(Config.model_validate(document), "a")


def test_a_new_service_is_made_with_its_backends() -> None:
    (proposal,) = propose({}, prepared(web="192.0.2.10:80"), {"web"}, {}, {}, {})
    assert [step.operation for step in proposal.plan.steps] == [
        AddService(Service(WEB)),
        AddDestination(WEB, W1),
    ]
    assert proposal.wanted is not None
    assert proposal.wanted.verdict.up is True


def test_a_service_that_left_the_config_is_taken_out() -> None:
    held = {OLD: ServiceTable.of(Service(OLD), [W1])}
    (proposal,) = propose({}, prepared(), {"old"}, held, {OLD: "old"}, {})
    assert proposal.wanted is None
    assert proposal.plan.steps == (Step(DeleteService(OLD)),)


def test_an_address_that_another_service_wants_now_is_not_taken_out() -> None:
    held = {WEB: ServiceTable.of(Service(WEB), [W1])}
    made = prepared(web="192.0.2.10:80")
    old, web = propose({}, made, {"old", "web"}, held, {WEB: "old"}, {})
    assert not old.plan
    assert not web.plan


def test_a_service_that_moved_leaves_its_former_address() -> None:
    held = {OLD: ServiceTable.of(Service(OLD), [W1])}
    (proposal,) = propose(
        {}, prepared(web="192.0.2.10:80"), {"web"}, held, {OLD: "web", WEB: "web"}, {}
    )
    assert [step.operation.op for step in proposal.plan.steps] == [
        "add_service",
        "add_destination",
        "delete_service",
    ]


def test_what_others_hold_is_never_looked_at() -> None:
    held = {OLD: ServiceTable.of(Service(OLD), [W1])}
    owners = {OLD: "another"}
    (proposal,) = propose({}, prepared(web="192.0.2.10:80"), {"web"}, held, owners, {})
    assert all(step.operation.key == WEB for step in proposal.plan.steps)


def test_a_proposal_picks_the_results_of_its_own_steps() -> None:
    web, other = propose(
        {}, prepared(web="192.0.2.10:80", other="192.0.2.9:80"), {"other", "web"}, {}, {}, {}
    )[::-1]
    done = [Result(step.operation, "done") for step in (*other.plan.steps, *web.plan.steps)]
    assert [each.operation.key for each in web.own(by_key(done))] == [WEB, WEB]
    assert web.keys == (WEB,)


def through(*, is_on: bool = True) -> Prepared:
    """Prepare a service whose backend is checked through IPVS, where that *is_on*."""
    web = {
        "address": "192.0.2.10:80",
        "forward": "dr",
        "check": {"tcp": {}, "data_path": is_on},
        "backends": {"w1": "10.0.0.1:80"},
    }
    nodes = {"a": {"address": "10.0.0.100"}}
    document = {"version": 1, "nodes": nodes, "services": {"web": web}}
    return prepare(Config.model_validate(document), "a")


def test_a_private_service_is_made_whatever_health_says() -> None:
    made = through()
    ((name, path),) = made.paths.items()
    (proposal,) = propose({}, made, {name}, {}, {}, {})
    assert (proposal.wanted, proposal.key) == (None, path.table.key)
    assert [step.operation for step in proposal.plan.steps] == [
        AddService(path.table.service),
        AddDestination(path.table.key, *path.table.destinations),
    ]
    held = {path.table.key: path.table}
    (proposal,) = propose({}, made, {name}, held, {path.table.key: name}, {})
    assert not proposal.plan


def test_a_private_service_that_nobody_asks_for_any_more_is_taken_out() -> None:
    ((name, path),) = through().paths.items()
    held = {path.table.key: path.table}
    (proposal,) = propose({}, through(is_on=False), {name}, held, {path.table.key: name}, {})
    assert proposal.key is None
    assert proposal.plan.steps == (Step(DeleteService(path.table.key)),)
