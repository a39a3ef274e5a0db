import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_schemas.canonical import digest
from libra_schemas.revision import NONE, Revision


def test_the_first_apply_makes_revision_1_of_the_contents_hash() -> None:
    assert NONE.next({"version": 1}) == Revision(1, digest({"version": 1}))


def test_of_two_with_one_number_the_greater_hash_wins() -> None:
    assert max(Revision(3, "a" * 64), Revision(3, "b" * 64)) == Revision(3, "b" * 64)


def test_a_higher_number_beats_any_hash() -> None:
    assert max(Revision(10, "0" * 64), Revision(9, "f" * 64)).number == 10


@given(st.integers(0, 10**18 - 1), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_revision_reads_back_as_written(number: int, content: str) -> None:
    revision = Revision(number, content)
    assert Revision.parse(str(revision)) == revision


@pytest.mark.parametrize(
    "text", ["", "1", "x-y", f"1-{'g' * 64}", f"1-{'a' * 64}\n", "٣-" + "a" * 64]
)
def test_anything_else_is_no_revision(text: str) -> None:
    with pytest.raises(ValueError, match="is no config revision"):
        Revision.parse(text)
