from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import ExchangeSpec, TcpSpec


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"expect": "a{99999999999}"}, "repetition number is too large"),
        ({"expect": "["}, "no regular expression: unterminated"),
        ({"preset": "imapp"}, "Input should be 'smtp', 'imap'"),
        ({"exchanges": []}, "at least 1 item"),
        ({"exchanges": [{"send": "x"}] * 33}, "at most 32 items"),
        ({"exchanges": [{"say": "x"}]}, "Extra inputs"),
    ],
)
def test_a_dialogue_that_cannot_be_held_is_told(written: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TcpSpec.model_validate(written)


def test_a_dialogue_has_steps() -> None:
    steps = [{"expect": "^220 "}, {"send_hex": "0D 0a"}]
    spec = TcpSpec.model_validate({"exchanges": steps})
    assert spec.exchanges == (ExchangeSpec(expect="^220 "), ExchangeSpec(send_hex="0d0a"))
