import pytest
from pydantic import ValidationError

from libra_schemas.config import UdpSpec


def test_silence_is_left_open_where_nobody_says_what_it_means() -> None:
    assert UdpSpec().silence is None
    assert UdpSpec(silence="pass").silence == "pass"
    with pytest.raises(ValidationError, match="'fail' or 'pass'"):
        UdpSpec.model_validate({"silence": "golden"})
