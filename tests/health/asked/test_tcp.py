import pytest

from libra_health.asked.presets import PRESETS
from libra_health.asked.tcp import asked
from libra_health.checks.tcp import Exchange, TcpSpec
from libra_health.wire import Target
from libra_schemas import config as written

ANY = Target("192.0.2.1", 80)


def test_what_is_said_and_expected_is_taken_over() -> None:
    spec = written.TcpSpec(send="HI", expect="^OK")
    assert asked(spec, ANY) == TcpSpec((Exchange(b"HI", "^OK"),))
    assert asked(written.TcpSpec(), ANY) == TcpSpec()


def test_the_steps_of_a_dialogue_keep_their_order() -> None:
    steps = [{"expect": "^220 "}, {"send_hex": "00ff", "expect_hex": "2b"}, {"send": "x"}]
    spec = written.TcpSpec.model_validate({"exchanges": steps})
    assert asked(spec, ANY) == TcpSpec(
        (Exchange(b"", "^220 "), Exchange(b"\x00\xff", "\\x2b"), Exchange(b"x"))
    )


def test_a_preset_is_a_dialogue_made_ready() -> None:
    assert asked(written.TcpSpec(preset="redis"), ANY) == PRESETS["redis"]


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="regular expression"):
        asked(written.TcpSpec.model_construct(expect="("), ANY)
