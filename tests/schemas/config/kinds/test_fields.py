import pytest
from pydantic import TypeAdapter, ValidationError

from libra_schemas.config.kinds.fields import Regex


def test_a_pattern_is_compiled_when_it_is_read() -> None:
    assert TypeAdapter(Regex).validate_python("^220 ") == "^220 "
    with pytest.raises(ValidationError, match="no regular expression"):
        TypeAdapter(Regex).validate_python("(")
