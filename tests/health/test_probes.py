from dataclasses import replace

from libra_health.checks import IcmpSpec, TcpSpec
from libra_health.probes import Changes, Probe, diff
from libra_health.wire import Target

TCP = Probe(Target("192.0.2.1", 80), TcpSpec(), 1.0, 0.5)
OTHER = Probe(Target("192.0.2.2", 80), TcpSpec(), 1.0, 0.5)
PING = Probe(Target("192.0.2.1"), IcmpSpec(), 1.0, 0.5)


def test_a_probe_equals_another_by_what_it_asks_and_when() -> None:
    assert replace(TCP) == TCP
    assert hash(replace(TCP)) == hash(TCP)
    assert replace(TCP, every=2.0) != TCP
    assert replace(TCP, every=2.0).asks_the_same(TCP)
    assert TCP.kind == "tcp"
    assert not OTHER.asks_the_same(TCP)


def test_what_stays_is_not_mentioned() -> None:
    assert diff([TCP, OTHER], [OTHER, PING]) == Changes((TCP,), (PING,), ())
    assert diff([TCP], [TCP]) == Changes((), (), ())


def test_other_times_alone_are_a_retiming() -> None:
    slower = replace(TCP, every=5.0)
    assert diff([TCP, OTHER], [OTHER, slower]) == Changes((), (), ((TCP, slower),))


def test_of_two_successors_one_is_retimed_and_one_starts() -> None:
    slow, slower = replace(TCP, every=5.0), replace(TCP, every=9.0)
    assert diff([TCP], [slow, slower]) == Changes((), (slower,), ((TCP, slow),))
    assert diff([slow, slower], [TCP]) == Changes((slow,), (), ((slower, TCP),))
