import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.points import points


@given(st.integers(0, 65535), st.sampled_from(["", " ", "\n", "\r\n"]), st.integers(0, 9))
def test_a_number_is_read_with_what_stands_around_it(number: int, around: str, zeros: int) -> None:
    assert points(f"{around}{'0' * zeros}{number}{around}".encode()) == number


@pytest.mark.parametrize(
    "written", [b"", b" ", b"65536", b"100000", b"-1", b"+1", b"1.0", b"1 2", b"0x1", b"1_0", b"5%"]
)
def test_what_is_no_weight_is_none(written: bytes) -> None:
    assert points(written) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_weight_or_none(written: bytes) -> None:
    read = points(written)
    assert read is None or 0 <= read <= 65535
