from typing import Any

import pytest

from libra_health.asked.http import asked
from libra_health.checks import HttpSpec
from libra_health.checks.http import Ask
from libra_health.http.expectations import Contains, Digest, Matches
from libra_health.http.request import Request
from libra_health.wire import Target
from libra_schemas import config as written


def spec_of(address: str = "10.0.1.11", port: int = 8080, **spec: Any) -> HttpSpec:
    return asked(written.HttpSpec.model_validate(spec), Target(address, port))


def test_an_http_check_says_all_that_was_written() -> None:
    found = spec_of(
        path="/healthz",
        method="POST",
        host="www.example.net",
        headers={"X-Probe": "1"},
        headers_files={"Authorization": "/etc/libra/token"},
        body="ä",
        status=[200, "300-399"],
        contains="ok",
        regex="^o",
        digest={"sha256": "AB" * 32, "md5": "CD" * 16},
        max_body=99,
        redirects=3,
    )
    request = Request("www.example.net", "/healthz", "POST", (("X-Probe", "1"),), "ä".encode())
    wanted = (
        Contains(b"ok"), Matches("^o"), Digest("sha256", "ab" * 32), Digest("md5", "cd" * 16),
    )  # fmt: skip
    assert found == HttpSpec(
        (Ask(request, ((200, 200), (300, 399)), wanted),),
        99,
        keeps=True,
        redirects=3,
        secrets=(("Authorization", "/etc/libra/token"),),
    )


def test_what_one_of_several_requests_does_not_say_is_as_the_check_says() -> None:
    found = spec_of(
        host="h",
        status=200,
        contains="ok",
        requests=[{"path": "/a"}, {"path": "/b", "status": 404, "contains": "no", "host": "i"}],
    )
    assert found.asks == (
        Ask(Request("h", "/a"), ((200, 200),), (Contains(b"ok"),)),
        Ask(Request("i", "/b"), ((404, 404),), (Contains(b"no"),)),
    )


def test_the_version_before_persistent_connections_keeps_none() -> None:
    found = spec_of(version=1.0)
    assert (found.keeps, found.asks[0].request.version) == (False, "1.0")
    assert not spec_of(keep_alive=False).keeps


@pytest.mark.parametrize(
    ("address", "port", "host"),
    [
        pytest.param("10.0.1.11", 8080, "10.0.1.11:8080", id="port"),
        pytest.param("10.0.1.11", 80, "10.0.1.11", id="usual port"),
        pytest.param("2001:db8::1", 80, "[2001:db8::1]", id="ipv6"),
    ],
)
def test_without_a_host_the_target_is_named(address: str, port: int, host: str) -> None:
    assert spec_of(address, port, method="HEAD").asks == (Ask(Request(host, method="HEAD")),)


def test_a_host_may_be_written_as_a_header_too() -> None:
    request = spec_of(headers={"hOST": "a.example", "X": "y"}).asks[0].request
    assert (request.host, request.headers) == ("a.example", (("X", "y"),))
