import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_schemas.patterns import pattern_of


def test_a_pattern_is_matched_against_bytes() -> None:
    assert pattern_of(r"\xc3\xa9t\xc3\xa9").search("un été".encode())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("é+", "ASCII", id="not-ascii"),
        pytest.param("(", "missing", id="open"),
        pytest.param(r"\u00e9", "bad escape", id="escape-of-text"),
        pytest.param("(?u)x", "inline flags", id="flag-of-text"),
        pytest.param("a{99999999999}", "too large", id="too-large"),
        pytest.param("(" * 9999 + ")" * 9999, "too deeply", id="too-deep"),
    ],
)
def test_what_health_could_not_compile_is_no_pattern(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        pattern_of(text)


@given(st.text(alphabet=st.characters(max_codepoint=300), max_size=40))
def test_any_text_is_a_pattern_or_told(text: str) -> None:
    try:
        pattern_of(text)
    except ValueError as error:
        assert "regular expression" in str(error)  # noqa: PT017 - both ways out are right
