from typing import Any

import pytest

from libra_schemas.config import ServiceConfig
from libra_schemas.target import check_form, target_of


def target(**changes: Any) -> str:
    service = ServiceConfig.model_validate(
        {"address": "192.0.2.10:80", "backends": {"w": "10.0.1.11:80"}} | changes
    )
    return target_of(service, service.backends["w"])


def test_spelling_out_a_default_changes_nothing() -> None:
    spelled = {"tcp": {}, "every": 1, "timeout": "500ms", "rise": 2, "fall": 3}
    assert target(check=spelled) == target(check="tcp") == target()


def test_the_weight_is_no_part_of_the_target() -> None:
    heavy = {"w": {"address": "10.0.1.11:80", "weight": 9}}
    assert target(backends=heavy) == target()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"backends": {"w": "10.0.1.12:80"}}, id="address"),
        pytest.param({"backends": {"w": "10.0.1.11:81"}}, id="port"),
        pytest.param({"protocol": "udp", "check": "tcp"}, id="protocol"),
        pytest.param({"check": "icmp"}, id="kind of check"),
        pytest.param({"check": {"tcp": {}, "fall": 1}}, id="a detail of the check"),
        pytest.param({"address": None, "fwmark": 7, "check": "tcp"}, id="a mark"),
    ],
)
def test_whatever_a_verdict_is_about_changes_the_target(changes: dict[str, Any]) -> None:
    assert target(**changes) != target()


def test_which_checks_must_pass_is_part_of_the_target_where_there_are_several() -> None:
    several = {"check": ["tcp", "icmp"]}
    assert target(**several, require="any") != target(**several) == target(**several, require="all")
    assert target(require="any") == target()


def test_a_check_is_given_without_what_nobody_set() -> None:
    check = ServiceConfig.model_validate({"address": "192.0.2.1:1", "check": "icmp"}).check
    assert not isinstance(check, tuple)
    assert check is not None
    assert check_form(check) == {
        "icmp": {"size": 56}, "every": 1.0, "timeout": 0.5, "rise": 2, "fall": 3
    }  # fmt: skip


def test_a_check_through_ipvs_is_about_the_way_to_the_backend_too() -> None:
    through = {"forward": "dr", "check": {"tcp": {}, "data_path": True}}
    assert target(**through) != target(forward="dr")
    assert target(**through) != target(**through | {"forward": "tun"})
    assert target(**through) != target(**through | {"address": "192.0.2.11:80"})
    assert target(forward="tun", address="192.0.2.11:80") == target()


def test_what_checks_can_do_since_is_no_part_of_the_target_where_it_is_not_used() -> None:
    check = ServiceConfig.model_validate({"address": "192.0.2.1:1", "check": "http"}).check
    assert not isinstance(check, tuple)
    assert check is not None
    assert check_form(check)["http"] == {
        "path": "/",
        "method": "GET",
        "headers": {},
        "status": ["200-299"],
        "max_body": 65536,
    }
    assert target(check={"http": {"redirects": 1}}) != target(check="http")
