from dataclasses import replace

from libra_health.checks import IcmpSpec, TcpSpec
from libra_health.probes import Probe
from libra_health.verdict.blast import Guard
from libra_health.verdict.policy import Policy
from libra_health.verdict.vantage import Vantage
from libra_health.verdict.watch import Lookout, Watch, fan_out, pools_of
from libra_health.wire import Target

TCP = Probe(Target("192.0.2.1", 80), TcpSpec(), 1.0, 0.5)
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


def test_backends_are_ruled_together_under_a_guard_or_by_votes() -> None:
    guarded = replace(watch("web"), policy=Policy(guard=Guard(1, 60.0)))
    voted = replace(watch("api"), policy=Policy(vantage=Vantage("a", ("b",))))
    other = replace(guarded, key=("web", "w2"))
    assert pools_of([guarded, watch("mail"), voted, other]) == {
        "web": (("web", "w1"), ("web", "w2")),
        "api": (("api", "w1"),),
    }
