from typing import Any

import pytest

from libra_health.asked.https import asked
from libra_health.checks import HttpsSpec, TlsSpec
from libra_health.wire import Target, Tls
from libra_schemas import config as written


def spec_of(address: str = "10.0.1.11", port: int = 443, **spec: Any) -> HttpsSpec:
    return asked(written.HttpSpec.model_validate(spec), Target(address, port))


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        pytest.param({}, "10.0.1.11", id="address"),
        pytest.param({"host": "a.example"}, "a.example", id="host"),
        pytest.param({"host": "a.example:8443"}, "a.example", id="host with port"),
        pytest.param({"host": "[2001:db8::1]:8443"}, "2001:db8::1", id="IPv6 with port"),
        pytest.param({"host": "2001:db8::1"}, "2001:db8::1", id="bare IPv6"),
        pytest.param({"host": "a.example", "tls": {"name": "b.example"}}, "b.example", id="name"),
    ],
)
def test_the_certificate_is_to_be_that_of_the_host(spec: dict[str, Any], name: str) -> None:
    assert spec_of(**spec).tls == TlsSpec(Tls(name))


@pytest.mark.parametrize(
    ("address", "port", "host"),
    [
        ("10.0.1.11", 443, "10.0.1.11"),
        ("10.0.1.11", 80, "10.0.1.11:80"),
        ("2001:db8::1", 443, "[2001:db8::1]"),
    ],
)
def test_the_usual_port_is_left_out_of_host(address: str, port: int, host: str) -> None:
    assert spec_of(address, port).asks[0].request.host == host


def test_the_rest_is_that_of_http() -> None:
    found = spec_of(max_body=9, redirects=2, headers_files={"A": "/a"}, keep_alive=False)
    assert (found.body_limit, found.redirects, found.secrets) == (9, 2, (("A", "/a"),))
    assert not found.keeps
