from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import CheckConfig, IcmpSpec, TcpSpec


def check(value: Any) -> CheckConfig:
    return CheckConfig.model_validate(value)


@pytest.mark.parametrize("written", ["tcp", {"tcp": None}, {"tcp": {}}])
def test_a_kind_alone_is_a_whole_check(written: Any) -> None:
    assert check(written).tcp == TcpSpec()
    assert check(written).kind == "tcp"


def test_a_check_is_taken_as_it_is() -> None:
    made = check("icmp")
    assert CheckConfig.model_validate(made) is made
    assert made.icmp == IcmpSpec()


@pytest.mark.parametrize(
    ("written", "timeout"),
    [
        ({"tcp": None}, 0.5),
        ({"tcp": None, "every": "200ms"}, 0.2),
        ({"tcp": None, "every": "5s"}, 0.5),
        ({"tcp": None, "every": "5s", "timeout": "4s"}, 4.0),
    ],
)
def test_a_timeout_nobody_wrote_stays_within_every(written: Any, timeout: float) -> None:
    assert check(written).timeout == timeout


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"tcp": None, "every": 0}, "must be longer than 0"),
        ({"tcp": None, "timeout": "0s"}, "must be longer than 0"),
        ({"tcp": None, "every": "x"}, "expected a duration"),
        (5, "valid dictionary"),
    ],
)
def test_a_check_that_cannot_be_run_is_told(written: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        check(written)


def test_where_a_probe_leaves_from_may_differ_from_node_to_node() -> None:
    same = check({"tcp": None, "bind": "10.0.0.9", "interface": "eth1"})
    assert [str(same.bind_of("a")), same.interface_of("a")] == ["10.0.0.9", "eth1"]
    own = check({"tcp": None, "bind": {"a": "10.0.0.2"}, "interface": {"a": "eth0"}})
    assert [str(own.bind_of("a")), own.interface_of("a")] == ["10.0.0.2", "eth0"]
    assert (own.bind_of("b"), own.interface_of("b")) == (None, None)
