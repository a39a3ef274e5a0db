from typing import Any

import pytest

from libra_health.asked.http import asked
from libra_health.checks import HttpSpec
from libra_health.checks.http import Contains, Matches
from libra_health.wire import Target
from libra_schemas import config as written


def spec_of(address: str = "10.0.1.11", port: int = 8080, **spec: Any) -> HttpSpec:
    return asked(written.HttpSpec.model_validate(spec), Target(address, port))


def test_an_http_check_says_all_that_was_written() -> None:
    found = spec_of(
        path="/healthz",
        method="OPTIONS",
        host="www.example.net",
        headers={"X-Probe": "1"},
        status=[200, "300-399"],
        contains="ok",
        regex="^o",
        max_body=99,
    )
    assert found.request.startswith(b"OPTIONS /healthz HTTP/1.1\r\nHost: www.example.net\r\n")
    assert b"X-Probe: 1\r\n" in found.request
    assert found.statuses == ((200, 200), (300, 399))
    assert found.body == (Contains(b"ok"), Matches("^o"))
    assert (found.body_limit, found.is_head) == (99, False)


@pytest.mark.parametrize(
    ("address", "port", "host"),
    [
        pytest.param("10.0.1.11", 8080, b"Host: 10.0.1.11:8080\r\n", id="port"),
        pytest.param("10.0.1.11", 80, b"Host: 10.0.1.11\r\n", id="usual port"),
        pytest.param("2001:db8::1", 80, b"Host: [2001:db8::1]\r\n", id="ipv6"),
    ],
)
def test_without_a_host_the_target_is_named(address: str, port: int, host: bytes) -> None:
    found = spec_of(address, port, method="HEAD")
    assert host in found.request
    assert found.is_head
    assert found.body == ()
