import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.mistaken import explained, is_tls, no_tls
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason

ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
NGINX = b"HTTP/1.1 400 Bad Request\r\n\r\n<title>400 The plain HTTP request was sent to HTTPS port"
GO = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


@pytest.mark.parametrize("heard", [ALERT, b"\x16\x03\x03\0\x7a", b"\x16"])
def test_a_record_of_tls_is_known_by_its_beginning(heard: bytes) -> None:
    assert is_tls(heard)
    assert no_tls(heard) == ""


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        (b"", ""),
        (b"220 mail\x1b\r\n", r"what answered is not TLS: '220 mail\x1b\r\n'"),
        (b"\x16\x02", r"what answered is not TLS: '\x16\x02'"),
    ],
)
def test_what_is_no_tls_is_told(heard: bytes, told: str) -> None:
    assert no_tls(heard) == told


@pytest.mark.parametrize("heard", [ALERT, NGINX, GO])
def test_tls_that_answers_what_was_said_in_the_clear_is_told(heard: bytes) -> None:
    failed = Failed(Reason.STATUS, "status 400, wanted 200-299", 0.5)
    said = "what answered speaks TLS: status 400, wanted 200-299"
    assert explained(failed, heard) == Failed(Reason.STATUS, said, 0.5)


@pytest.mark.parametrize(
    ("outcome", "heard"),
    [
        (Failed(Reason.STATUS, "status 400"), b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        (Failed(Reason.CLOSED, "closed"), b""),
        (Failed(Reason.CONTENT, "not what was expected"), b"\x16"),
        (Passed(0.5), ALERT),
        (Errored(Reason.LOCAL, "x"), ALERT),
    ],
)
def test_all_else_is_told_as_it_was(outcome: Outcome, heard: bytes) -> None:
    assert explained(outcome, heard) == outcome


@given(st.binary(max_size=50))
def test_any_bytes_are_told_in_a_line(heard: bytes) -> None:
    assert no_tls(heard).isprintable()
    assert isinstance(explained(Failed(Reason.CLOSED, "x"), heard), Failed)
