import pytest

from libra_health.asked.tcp import asked
from libra_health.checks import TcpSpec
from libra_health.wire import Target
from libra_schemas import config as written

ANY = Target("192.0.2.1", 80)


def test_what_is_said_and_expected_is_taken_over() -> None:
    spec = written.TcpSpec(send="HI", expect="^OK")
    assert asked(spec, ANY) == TcpSpec(b"HI", "^OK")
    assert asked(written.TcpSpec(), ANY) == TcpSpec()


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="regular expression"):
        asked(written.TcpSpec.model_construct(expect="("), ANY)
