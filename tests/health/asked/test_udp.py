import pytest

from libra_health.asked.udp import asked
from libra_health.checks.udp import UdpSpec
from libra_health.wire import Target
from libra_schemas import config as written

ANY = Target("192.0.2.1", 53)


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({}, UdpSpec(silence_passes=True)),
        ({"send": "PING"}, UdpSpec(b"PING", silence_passes=True)),
        ({"send_hex": "00"}, UdpSpec(b"\0", silence_passes=True)),
        ({"expect": "^OK"}, UdpSpec(b"", "^OK", silence_passes=False)),
        ({"expect_hex": "0d"}, UdpSpec(b"", "\\x0d", silence_passes=False)),
        ({"expect": "^OK", "silence": "pass"}, UdpSpec(b"", "^OK", silence_passes=True)),
        ({"silence": "fail"}, UdpSpec(silence_passes=False)),
    ],
)
def test_silence_fails_where_an_answer_is_expected_and_nothing_else_is_said(
    spec: dict[str, str], wanted: UdpSpec
) -> None:
    assert asked(written.UdpSpec.model_validate(spec), ANY) == wanted


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="regular expression"):
        asked(written.UdpSpec.model_construct(expect="("), ANY)
