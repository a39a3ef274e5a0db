import pytest
from pydantic import TypeAdapter, ValidationError

from libra_schemas.config.kinds.fields import Hex, Regex


def test_a_pattern_is_compiled_when_it_is_read() -> None:
    assert TypeAdapter(Regex).validate_python("^220 ") == "^220 "
    with pytest.raises(ValidationError, match="no regular expression"):
        TypeAdapter(Regex).validate_python("(")


@pytest.mark.parametrize("written", ["0d0a", "0D 0A", " 0d 0a "])
def test_bytes_in_hex_are_read_in_any_spelling(written: str) -> None:
    assert TypeAdapter(Hex).validate_python(written) == "0d0a"


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("0d0", "expected bytes in hex"),
        ("zz", "expected bytes in hex"),
        ("", "holds no byte"),
        (10, "stand in quotes"),
        (1e5, "stand in quotes"),
    ],
)
def test_what_is_no_hex_is_told(written: object, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TypeAdapter(Hex).validate_python(written)
