"""The Internet checksum, against the example of RFC 1071."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.checksum import internet_checksum


def test_the_sum_of_the_rfcs_example_is_the_rfcs() -> None:
    """Section 3: the words 0001 f203 f4f5 f6f7 sum up to ddf2."""
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


@given(st.binary(min_size=2, max_size=64).filter(lambda data: len(data) % 2 == 0))
def test_what_carries_its_checksum_sums_up_to_nothing(data: bytes) -> None:
    assert internet_checksum(data + internet_checksum(data).to_bytes(2, "big")) == 0


def test_an_odd_number_of_octets_is_our_mistake() -> None:
    with pytest.raises(Exception, match="requires a buffer"):
        internet_checksum(b"\0")
