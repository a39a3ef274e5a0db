from dataclasses import replace

from libra_health.checks import IcmpSpec, TcpSpec
from libra_health.probes import Changes, Lookout, Probe, Watch, diff, fan_out
from libra_health.wire import Target

TCP = Probe(Target("192.0.2.1", 80), TcpSpec(), 1.0, 0.5)
OTHER = Probe(Target("192.0.2.2", 80), TcpSpec(), 1.0, 0.5)
PING = Probe(Target("192.0.2.1"), IcmpSpec(), 1.0, 0.5)


def watch(service: str, *probes: Probe) -> Watch:
    lookouts = tuple(Lookout(probe, 2, 3, "tcp") for probe in probes)
    return Watch((service, "w1"), "192.0.2.1", 80, "tcp", "d", lookouts)


def test_backends_of_several_services_share_one_probe() -> None:
    same = replace(TCP)
    assert fan_out([watch("web", TCP), watch("api", PING, same)]) == {
        TCP: ((("web", "w1"), 0), (("api", "w1"), 1)),
        PING: ((("api", "w1"), 0),),
    }


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
