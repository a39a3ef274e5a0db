"""How programs are told."""

from typing import Any

import pytest

from libra_notifier.invocation import arguments, environment
from libra_schemas.events import InstanceState, ServiceState


def router(state: str) -> InstanceState:
    return InstanceState.model_validate(
        {
            "instance": "front",
            "state": state,
            "why": "timer",
            "vrid": 51,
            "interface": "eth0",
            "priority": 150,
            "interval_ms": 100,
        }
    )


@pytest.mark.parametrize(
    ("state", "word"),
    [("master", "MASTER"), ("backup", "BACKUP"), ("fault", "FAULT"), ("stopped", "STOP")],
)
def test_a_virtual_router_is_told_as_keepalived_tells_it(make: Any, state: str, word: str) -> None:
    notice = make.notice(f"vrrp.{state}", ("front",), router(state))
    assert arguments(notice) == ("INSTANCE", "front", word, "150")


def test_everything_else_is_told_by_type_and_entity(make: Any) -> None:
    assert arguments(make.notice()) == ("backend.down", "web/w1")


def test_the_environment_names_the_event(make: Any) -> None:
    found = environment(make.notice())
    assert found["LIBRA_TYPE"] == "backend.down"
    assert found["LIBRA_SERVICE"] == "web"
    assert found["LIBRA_BACKEND"] == "w1"
    assert found["LIBRA_KEY"] == "ops-id-1"
    assert found["LIBRA_NODE"] == "a"
    assert found["LIBRA_SUMMARY"] == "backend w1 of web is down: connection refused (3 of 3)"
    assert found["PATH"].startswith("/usr/local/sbin:")


def test_the_environment_names_instance_or_service_where_the_event_has_one(make: Any) -> None:
    found = environment(make.notice("vrrp.master", ("front",), router("master")))
    assert found["LIBRA_INSTANCE"] == "front"
    assert "LIBRA_SERVICE" not in found
    state = ServiceState(
        service="web", up=True, live_weight=1, quorum=1, hysteresis=0, eligible=1, backends=1
    )
    assert "LIBRA_BACKEND" not in environment(make.notice("service.up", ("web",), state))
