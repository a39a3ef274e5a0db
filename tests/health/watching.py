"""A backend with one check or two, and results to feed it with."""

from dataclasses import replace

from libra_health.checks import IcmpSpec, TcpSpec
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.probes import Probe
from libra_health.verdict.policy import Policy
from libra_health.verdict.ruling import Verdict, rule
from libra_health.verdict.stand import Known, Stand
from libra_health.verdict.taking_up import begin
from libra_health.verdict.tally import Tally, record
from libra_health.verdict.watch import Lookout, Watch
from libra_health.wire import Target

TCP = Lookout(Probe(Target("192.0.2.1", 80), TcpSpec(), 1.0, 0.5), 2, 3, "tcp")
PING = Lookout(Probe(Target("192.0.2.1"), IcmpSpec(), 1.0, 0.5), 1, 1, "icmp")
WATCH = Watch(("web", "w1"), "192.0.2.1", 80, "tcp", "digest", (TCP,))
BOTH = replace(WATCH, lookouts=(TCP, PING))
QUICK = replace(WATCH, lookouts=(PING,))
GOOD, BAD = Passed(0.01), Failed(Reason.TIMEOUT, "no answer", 0.02)
REFUSED = Failed(Reason.REFUSED, "ECONNREFUSED", 0.02)
OURS = Errored(Reason.DESCRIPTORS, "EMFILE")


def under(watch: Watch, policy: Policy) -> Watch:
    """Ask more of the verdicts of a watch."""
    return replace(watch, policy=policy)


def logged(stand: Stand, watch: Watch = WATCH) -> Known:
    """Say what the log holds of a watch."""
    return Known(watch.digest, watch.place, stand, stand.damped)


def fresh(
    watch: Watch, known: Known | None = None, *, joins: bool = False, now: float = 0.0
) -> Tally:
    """Take a backend up as at a start."""
    return begin(watch, None, known, joins=joins, now=now)


def feed(
    tally: Tally, *results: Outcome, place: int = 0, start: float = 0.0, may_go: bool = True
) -> tuple[Tally, list[Verdict]]:
    """Record a result each second, and rule after each."""
    said = []
    for second, result in enumerate(results):
        now = start + second
        tally, verdict = rule(record(tally, place, result, now), now, may_go=may_go)
        said += [verdict] if verdict else []
    return tally, said


def stands(said: list[Verdict]) -> list[tuple[str, Stand]]:
    """List what was said, as type and stand."""
    return [(verdict.type, verdict.stand) for verdict in said]
