from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import TcpSpec


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"expect": "a{99999999999}"}, "repetition number is too large"),
        ({"expect": "["}, "no regular expression: unterminated"),
    ],
)
def test_a_pattern_that_is_none_is_told(written: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TcpSpec.model_validate(written)
