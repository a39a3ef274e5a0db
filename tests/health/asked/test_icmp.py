from libra_health.asked.icmp import asked
from libra_health.checks import IcmpSpec
from libra_health.wire import Target
from libra_schemas import config as written


def test_the_size_is_taken_over() -> None:
    assert asked(written.IcmpSpec(size=9), Target("192.0.2.1")) == IcmpSpec(9)
