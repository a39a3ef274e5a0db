import re

from hypothesis import given
from hypothesis import strategies as st

from libra_health.asked.spoken import expected, sent
from libra_health.patterns import is_costly
from libra_schemas.config import ExchangeSpec


def test_text_is_sent_in_utf_8_and_hex_as_it_is() -> None:
    assert sent(ExchangeSpec(send="é\r\n")) == b"\xc3\xa9\r\n"
    assert sent(ExchangeSpec(send_hex="00 FF")) == b"\x00\xff"
    assert sent(ExchangeSpec()) == b""


def test_a_pattern_is_taken_as_it_is() -> None:
    assert expected(ExchangeSpec(expect="^2[0-9]+")) == "^2[0-9]+"
    assert expected(ExchangeSpec()) == ""


@given(st.binary(min_size=1), st.binary(), st.binary())
def test_bytes_in_hex_are_found_as_they_are_and_at_no_cost(
    wanted: bytes, before: bytes, after: bytes
) -> None:
    pattern = expected(ExchangeSpec(expect_hex=wanted.hex()))
    assert not is_costly(pattern)
    found = re.search(pattern.encode(), before + wanted + after)
    assert found is not None
    assert found.group() == wanted
