import pytest

from libra_health.wire import Ended, Target, Unasked


@pytest.mark.parametrize(
    ("target", "text"),
    [
        pytest.param(Target("192.0.2.1", 80), "192.0.2.1:80", id="ipv4"),
        pytest.param(Target("2001:db8::1", 80), "[2001:db8::1]:80", id="ipv6"),
        pytest.param(Target("192.0.2.1"), "192.0.2.1", id="no port"),
    ],
)
def test_a_target_is_written_as_an_operator_would(target: Target, text: str) -> None:
    assert str(target) == text


def test_an_input_that_nobody_asked_for_is_named_with_its_check() -> None:
    assert str(Unasked("tcp", Ended())) == "a check tcp never asked for Ended"
