from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from libra_schemas.config.fields import Endpoint, parse_duration, parse_interface_address


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("500ms", 0.5), ("1s", 1.0), ("1.5m", 90.0), (" 2h ", 7200.0), ("1d", 86400.0), (3, 3.0)],
)
def test_a_duration_is_seconds(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@given(st.integers(0, 10**9))
def test_milliseconds_survive(milliseconds: int) -> None:
    assert parse_duration(f"{milliseconds}ms") == pytest.approx(milliseconds / 1000, abs=1e-6)


@given(st.one_of(st.text(), st.floats(), st.none(), st.lists(st.integers())))
def test_anything_is_a_duration_or_told(written: object) -> None:
    try:
        assert 0 <= parse_duration(written) <= 10**18
    except ValueError as error:
        assert "expected a duration" in str(error)  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    "written", ["5", "-1s", "1 s", "1s\n1", "\u0661s", True, None, -1, float("nan")]
)
def test_what_is_no_duration_is_told(written: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(written)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_an_endpoint_reads_back_as_written(address: Any, port: int) -> None:
    endpoint = Endpoint(address, port)
    assert Endpoint.parse(str(endpoint)) == endpoint


@given(st.one_of(st.text(), st.none(), st.integers()))
def test_anything_is_an_endpoint_or_told(written: object) -> None:
    try:
        assert isinstance(Endpoint.parse(written), Endpoint)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("192.0.2.10:0", "port 0 is outside 1-65535"),
        ("192.0.2.10:65536", "port 65536 is outside 1-65535"),
        ("192.0.2.10:80-90", "a range of ports is not in this release yet"),
        (["192.0.2.10:80"], "a list of addresses is not in this release yet"),
        ("192.0.2:80", "expected an address such as"),
        ("web.example.com:80", "expected a numeric address such as 192.0.2.10:80, not the name"),
        ("fe80::1%eth0", "an address with a zone"),
        (80, "expected an address such as"),
    ],
)
def test_what_is_no_endpoint_is_told(written: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Endpoint.parse(written)


def test_an_endpoint_is_text_in_json_and_itself_in_python() -> None:
    adapter = TypeAdapter(Endpoint)
    endpoint = adapter.validate_python("[2001:db8::10]:80")
    assert adapter.validate_python(endpoint) is endpoint
    assert adapter.dump_json(endpoint) == b'"[2001:db8::10]:80"'
    assert adapter.json_schema()["type"] == "string"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("192.0.2.10/24", "192.0.2.10/24"),
        (" 192.0.2.10 ", "192.0.2.10/32"),
        ("2001:DB8::1/64", "2001:db8::1/64"),
    ],
)
def test_an_interface_address_is_normalised(written: str, read: str) -> None:
    assert parse_interface_address(written) == read


@pytest.mark.parametrize("written", ["192.0.2.10/33", "-/-", 5, None])
def test_what_is_no_interface_address_is_told(written: object) -> None:
    with pytest.raises(ValueError, match=r"expected an address such as 192\.0\.2\.10/24"):
        parse_interface_address(written)


def test_a_name_is_no_interface_address() -> None:
    with pytest.raises(ValueError, match=r"such as 192\.0\.2\.10/24, not the name www"):
        parse_interface_address("www")
