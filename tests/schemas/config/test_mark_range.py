"""A range of marks is read as it is written, and never holds the mark that is none."""

import pytest
from pydantic import ValidationError

from libra_schemas.config import IpvsConfig
from libra_schemas.config.mark_range import MarkRange, parse_marks


def test_a_range_is_its_first_mark_and_how_many_bits_all_share() -> None:
    marks = MarkRange.parse("0x4c000000/8")
    assert marks.size == 1 << 24
    assert 0x4C000000 in marks
    assert 0x4CFFFFFF in marks
    assert 0x4D000000 not in marks
    assert 0x4BFFFFFF not in marks


def test_any_spelling_is_kept_as_one() -> None:
    assert parse_marks(" 0x4C00000/4 ".replace("00000/4", "000000/8")) == "0x4c000000/8"
    assert parse_marks("1275068416/8") == "0x4c000000/8"
    assert IpvsConfig(marks="0x100/24").mark_range == MarkRange(0x100, 24)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (7, "expected the first mark"),
        ("0x4c000000", "expected the first mark"),
        ("0x4c000000/0", "1 to 24 bits, not 0"),
        ("0x4c000000/25", "1 to 24 bits, not 25"),
        ("0x4c000001/8", "0x4c000001 is not the first mark of a range of /8"),
        ("4294967296/8", "not the first mark"),
        ("0x0/8", "mark 0 means no mark"),
    ],
)
def test_what_is_no_range_is_told(written: object, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        IpvsConfig.model_validate({"marks": written})
