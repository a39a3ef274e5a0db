"""From a verdict to the event that says it: the backend's whole new state, with its evidence."""

from __future__ import annotations

from ipaddress import ip_address
from typing import cast

from libra_health.outcome import Failed
from libra_health.probes import Lookout
from libra_health.verdicts import Finding, Verdict
from libra_schemas.events import BackendState, Evidence
from libra_schemas.events.health import Protocol

UNCHECKED = Evidence(probe="none", reason="passed", detail="no check is configured")


def event_type(verdict: Verdict) -> str:
    """Name the event that says this verdict."""
    return "backend.up" if verdict.up else "backend.down"


def state_of(verdict: Verdict) -> BackendState:
    """Write a verdict down (design §3): target digest, and the finding of every check."""
    watch = verdict.watch
    service, backend = watch.key
    found = zip(watch.lookouts, verdict.findings, strict=True)
    evidence = tuple(_evidence(lookout, each) for lookout, each in found if each is not None)
    return BackendState(
        service=service,
        backend=backend,
        address=ip_address(watch.address),
        port=watch.port,
        protocol=cast("Protocol", watch.protocol),
        target=watch.digest,
        up=verdict.up,
        evidence=evidence if watch.lookouts else (UNCHECKED,),
    )


def _evidence(lookout: Lookout, finding: Finding) -> Evidence:
    outcome = finding.outcome
    failed = outcome if isinstance(outcome, Failed) else None
    return Evidence(
        probe=lookout.label,
        reason=failed.reason.value if failed else "passed",
        detail=failed.detail if failed else "",
        attempt=finding.attempt,
        needed=finding.needed,
        took_ms=round(outcome.latency * 1000, 3),
        observed_ms=round(finding.observed * 1000, 3),
    )
