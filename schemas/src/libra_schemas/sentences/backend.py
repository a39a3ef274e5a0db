"""What is said of a backend, and what its checks saw.

Rule: the label says it in people's words; a detail that says it better stands in its place.
"""

import re

from libra_schemas.events import BackendState, Evidence
from libra_schemas.events.health import DAMPED, MINORITY, VOTED, WITHHELD
from libra_schemas.sentences.words import because

_REASONS = {
    "refused": "connection refused",
    "timeout": "no answer in time",
    "unreachable": "host unreachable",
    "reset": "connection reset",
    "closed": "connection closed early",
    "status": "unexpected status",
    "content": "unexpected content",
    "malformed": "answer not understood",
    "oversized": "answer too large",
    "passed": "check passed",
    DAMPED: "held down",
}

_PASSED = "passed"

_TOLD_BY_DETAIL = frozenset({"timeout", "status", "closed", WITHHELD, VOTED, MINORITY, _PASSED})
"""Where the detail is the better half of the sentence: `status 503, wanted 200-299`."""

_ERRNO = re.compile(r"^E[A-Z0-9]+\Z")
"""`ECONNREFUSED` says no more than `connection refused` does."""


def backend(data: BackendState, event_type: str) -> str:
    """Say what became of a backend; only the type tells a change of weight."""
    name = f"backend {data.backend} of {data.service}"
    why = reasons(data)
    if event_type == "backend.weight":
        return because(f"{name} has {_weight(data)}", why)
    if event_type == "backend.seen":
        return because(f"{name} {_seen(data)}", why)
    if data.held:
        return because(f"{name} is kept although its checks fail", why)
    return because(f"{name} is {'up' if data.up else 'down'}", why)


def _seen(data: BackendState) -> str:
    if data.seen is None:
        return "is judged without the votes of other nodes"
    return f"is {'up' if data.up else 'down'}, this node sees it {'up' if data.seen else 'down'}"


def _weight(data: BackendState) -> str:
    if data.weight is None:
        return "its configured weight"
    slow = f" (slow start, {data.ramp} % of its own)" if data.ramp is not None else ""
    return f"weight {data.weight}{slow}"


def reasons(data: BackendState) -> str:
    """Say why a verdict fell; one that is down is explained by the checks that failed."""
    serves = data.up and not data.held
    failed = [] if serves else [each for each in data.evidence if each.reason != _PASSED]
    telling = failed or list(data.evidence)
    if len(telling) == 1:
        return reason(telling[0])
    return "; ".join(because(each.probe, reason(each)) for each in telling)


def reason(evidence: Evidence) -> str:
    """Say why a probe's verdict fell: what was seen and the count that decided."""
    label = _REASONS.get(evidence.reason, evidence.reason)
    if not evidence.detail or _ERRNO.match(evidence.detail):
        words = label
    elif evidence.reason in _TOLD_BY_DETAIL:
        words = evidence.detail
    else:
        words = because(label, evidence.detail)
    words += f" ({evidence.attempt} of {evidence.needed})" if evidence.needed else ""
    return words if evidence.weight is None else f"{words}, gives weight {evidence.weight}"
