import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.protocols.grpc_message import (
    MalformedAnswer,
    message_of,
    request,
    serving_name,
    status_name,
    status_of,
)


def answer(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


@pytest.mark.parametrize(
    ("service", "wire"),
    [
        pytest.param("", "0000000000", id="the server"),
        pytest.param("mail", "00000000060a046d61696c", id="a service"),
        pytest.param("x" * 300, "000000012f0aac02" + "78" * 300, id="a long name"),
    ],
)
def test_a_request_names_the_service(service: str, wire: str) -> None:
    assert request(service).hex() == wire


@pytest.mark.parametrize(
    ("message", "status"),
    [
        pytest.param("", 0, id="the default"),
        pytest.param("0801", 1, id="serving"),
        pytest.param("0802", 2, id="not serving"),
        pytest.param("08020801", 1, id="the last one counts"),
        pytest.param("12026162 19 0000000000000000 25 00000000 2805 0801", 1, id="others before"),
        pytest.param("0a0108", 0, id="field 1 of another type"),
        pytest.param("088100", 1, id="a number longer than need be"),
        pytest.param("08ffffffff0f", 0xFFFFFFFF, id="an unknown status"),
    ],
)
def test_an_answer_says_how_the_service_is(message: str, status: int) -> None:
    assert status_of(answer(bytes.fromhex(message))) == status


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "no message"),
        ("01000000020801", "a compressed message, which nobody asked for"),
        ("000000", "not one whole message"),
        ("00000000030801", "not one whole message"),
        ("000000000208010000000000", "not one whole message"),
        ("000000000108", "half a number"),
        ("000000000c08ffffffffffffffffffff01", "half a number"),
        ("000000000119", "half a field"),
        ("00000000021205", "half a field"),
        ("00000000010b", "no protobuf"),
    ],
)
def test_what_is_no_answer_is_refused(body: str, complaint: str) -> None:
    with pytest.raises(MalformedAnswer, match=complaint):
        status_of(bytes.fromhex(body))


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_an_answer_or_malformed(body: bytes, framed: bool) -> None:
    try:
        assert status_of(answer(body) if framed else body) >= 0
    except MalformedAnswer as wrong:
        assert str(wrong)  # noqa: PT017  either is right


def test_what_has_a_name_is_named() -> None:
    assert [serving_name(each) for each in (1, 2, 9)] == ["SERVING", "NOT_SERVING", "status 9"]
    assert [status_name(each) for each in (5, 16, 17)] == [
        "5 NOT_FOUND",
        "16 UNAUTHENTICATED",
        "17",
    ]


def test_a_message_is_decoded_as_far_as_it_can_be() -> None:
    assert message_of(b"100%25 %C3%A4 %zz %") == "100% ä %zz %".encode()
