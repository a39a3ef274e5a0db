import pytest
from pydantic import ValidationError

from libra_schemas.config import IcmpSpec


def test_an_echo_fits_into_one_packet() -> None:
    assert IcmpSpec().size == 56
    with pytest.raises(ValidationError, match="less than or equal to 1472"):
        IcmpSpec(size=1473)
