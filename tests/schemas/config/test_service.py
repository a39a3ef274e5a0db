from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import CheckConfig, ServiceConfig


def service(**fields: Any) -> ServiceConfig:
    return ServiceConfig.model_validate({"address": "192.0.2.10:80"} | fields)


def test_a_backend_may_be_its_address_alone() -> None:
    made = service(backends={"w1": "10.0.1.11:80"}, sorry="10.0.1.99:80")
    assert str(made.backends["w1"].address) == "10.0.1.11:80"
    assert made.sorry is not None
    assert str(made.sorry.address) == "10.0.1.99:80"


def test_a_backend_is_an_address_or_a_mapping() -> None:
    with pytest.raises(ValidationError, match="valid dictionary"):
        service(backends={"w1": 5})


def test_every_port_is_for_persistent_services() -> None:
    assert service(address="192.0.2.10", persistence="5m").persistence == 300


def test_what_a_backend_does_not_say_its_service_says() -> None:
    made = service(
        forward="dr",
        check="icmp",
        backends={
            "w1": "10.0.1.11:80",
            "w2": {"address": "10.0.1.12:80", "forward": "tun", "check": "tcp"},
        },
    )
    assert [made.forward_of(real) for real in made.backends.values()] == ["dr", "tun"]
    kinds = [[each.kind for each in made.checks_of(real)] for real in made.backends.values()]
    assert kinds == [["icmp"], ["tcp"]]


def test_tcp_is_checked_by_a_connect_where_nothing_is_said() -> None:
    made = service(backends={"w1": "10.0.1.11:80"})
    assert made.checks_of(made.backends["w1"]) == (CheckConfig.model_validate("tcp"),)


@pytest.mark.parametrize(
    "fields", [{"protocol": "udp"}, {"assume_up": True}, {"address": None, "fwmark": 7}]
)
def test_nothing_else_is_checked_unasked(fields: dict[str, Any]) -> None:
    made = service(backends={"w1": "10.0.1.11:80"}, **fields)
    assert made.checks_of(made.backends["w1"]) == ()


def test_several_checks_stay_several() -> None:
    made = service(backends={"w1": "10.0.1.11:80"}, check=["tcp", "icmp"])
    assert [each.kind for each in made.checks_of(made.backends["w1"])] == ["tcp", "icmp"]


def test_a_backend_may_differ_in_what_its_service_asks_of_verdicts() -> None:
    made = service(
        check=["tcp", "icmp"],
        require="any",
        slow_start="30s",
        backends={
            "w1": "10.0.1.11:80",
            "w2": {"address": "10.0.1.12:80", "require": "all", "slow_start": 0},
            "w3": {"address": "10.0.1.13:80", "check": "tcp"},
        },
    )
    backends = made.backends.values()
    assert [made.require_of(each) for each in backends] == ["any", "all", "all"]
    assert [made.slow_start_of(each) for each in backends] == [30, 0, 30]
