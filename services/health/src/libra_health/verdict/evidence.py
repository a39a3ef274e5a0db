"""From a verdict to the event that says it: the backend's whole new state, with its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import cast

from libra_health.outcome import DETAIL_LIMIT, Failed
from libra_health.verdict.ruling import Verdict
from libra_health.verdict.stand import Known, Stand
from libra_health.verdict.tally import Finding
from libra_health.verdict.vantage import Ballot, spelled_votes
from libra_health.verdict.watch import Lookout
from libra_schemas.events import BackendState, Evidence, Vote
from libra_schemas.events.health import DAMPED, MINORITY, VOTED, WITHHELD, Protocol
from libra_schemas.text import one_line, spelled

UNCHECKED = Evidence(probe="none", reason="passed", detail="no check is configured")


def state_of(verdict: Verdict, decided: datetime) -> BackendState:
    """Write a verdict down (design §3): target digest, and the finding of every check."""
    watch, stand = verdict.watch, verdict.stand
    service, backend = watch.key
    found = zip(watch.lookouts, verdict.findings, verdict.weights, strict=True)
    seen = [_evidence(lookout, each, gives) for lookout, each, gives in found if each is not None]
    return BackendState(
        service=service,
        backend=backend,
        address=ip_address(watch.address),
        port=watch.port,
        protocol=cast("Protocol", watch.protocol),
        target=watch.digest,
        up=stand.up,
        held=stand.held,
        seen=stand.seen,
        weight=stand.weight,
        ramp=stand.ramp,
        evidence=(*seen, *_kept_so(verdict, decided), *_voted(verdict))
        if watch.lookouts
        else (UNCHECKED,),
    )


def known_of(state: BackendState) -> Known:
    """Read back what the log was told."""
    flaps = any(each.reason == DAMPED for each in state.evidence)
    stand = Stand(
        state.up, state.held, flaps and not state.up, state.weight, state.ramp, state.seen
    )
    place = (str(state.address), state.port, state.protocol)
    told = tuple(
        (each.probe, each.reason == "passed")
        for each in state.evidence
        if 0 < each.needed <= each.attempt
    )
    return Known(state.target, place, stand, flaps, told)


def ballot_of(state: BackendState) -> Ballot:
    """Read the vote of the node that said it: its own view, never what votes made of it."""
    return Ballot(state.target, known_of(state).stand.own)


def _evidence(lookout: Lookout, finding: Finding, gives: int | None) -> Evidence:
    outcome = finding.outcome
    return Evidence(
        probe=lookout.label,
        reason=outcome.reason.value if isinstance(outcome, Failed) else "passed",
        detail=one_line(outcome.detail, DETAIL_LIMIT),
        attempt=finding.attempt,
        needed=finding.needed,
        took_ms=round(outcome.latency * 1000, 3),
        observed_ms=round(finding.observed * 1000, 3),
        weight=gives,
    )


def _kept_so(verdict: Verdict, decided: datetime) -> Iterator[Evidence]:
    """Say what keeps a backend down although its checks may pass, or in although they fail."""
    if verdict.hold is not None:
        limits = verdict.hold.limits
        until = (decided + timedelta(seconds=verdict.hold.left)).strftime("%H:%M:%S")
        changes = f"{limits.changes} changes in {spelled(limits.within)}"
        again = f"until {until} UTC, or {spelled(limits.stable)} after a further change"
        yield Evidence(probe="damping", reason=DAMPED, detail=f"{changes}, {again}")
    if verdict.guard is not None and not verdict.is_last:
        most, within = verdict.guard.most, spelled(verdict.guard.within)
        detail = f"health may take out {most} of the pool in {within}"
        yield Evidence(probe="max_down", reason=WITHHELD, detail=detail)


def _voted(verdict: Verdict) -> Iterator[Evidence]:
    """List the votes, and say where too few could vote to take the last backend out."""
    vantage = verdict.watch.policy.vantage
    if vantage is None or not verdict.votes:
        return
    votes = tuple(Vote(node=node, up=up) for node, up in verdict.votes)
    detail = spelled_votes(vantage, verdict.votes)
    yield Evidence(probe="vantage", reason=VOTED, detail=detail, votes=votes)
    if verdict.is_last:
        detail = "this node reaches fewer than half of the nodes: it takes no last backend out"
        yield Evidence(probe="vantage", reason=MINORITY, detail=detail)
