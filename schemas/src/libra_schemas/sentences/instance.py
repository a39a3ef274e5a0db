"""What is said of a virtual router.

Rule: total. The reason of a newer release stands as it names itself.
"""

from libra_schemas.events import InstanceState, MasterHeard, PriorityState
from libra_schemas.sentences.words import because

_WHY = {
    "start": "it started",
    "stop": "it was stopped",
    "adopted": "it took over from its predecessor",
    "recovered": "its fault is over",
    "preempt": "its priority is above the master's",
    "timer": "no master is heard",
    "priority-zero": "the master handed over",
    "tether": "the master's process died",
    "higher-priority": "a higher priority is heard",
    "track": "a tracked object changed",
    "interface": "it cannot work here",
    "lease": "its lease ran out",
    "operator": "an operator asked for it",
    "group": "it moves with its group",
    "owner": "it owns the addresses",
}


def instance(data: InstanceState | PriorityState | MasterHeard) -> str:
    """Say which state was entered, how fast, and why; what its priority is made of; its master."""
    if isinstance(data, MasterHeard):
        return f"virtual router {data.instance} follows {data.master}"
    if isinstance(data, PriorityState):
        return _priority(data)
    what = f"virtual router {data.instance} on {data.interface} is {data.state}"
    took = f"took {data.took_ms:.1f} ms" if data.took_ms else ""
    former = f"was {data.previous}" if data.previous else ""
    here = "" if data.coverage is None or data.why == "preempt" else _here(data.coverage)
    asides = ", ".join(part for part in (former, took, here) if part)
    return because(what + (f" ({asides})" if asides else ""), reason(data.why, data.detail))


def _here(coverage: float) -> str:
    return f"{coverage:.1%} of the peer's connections are here"


def _priority(data: PriorityState) -> str:
    what = f"virtual router {data.instance} has priority {data.priority}"
    if not data.moved:
        return f"{what}, as configured"
    return because(f"{what} instead of {data.configured}", made_of(data))


def made_of(data: PriorityState) -> str:
    """List what each tracked object adds."""
    return ", ".join(f"{one.delta:+d} ({one.why})" for one in data.moved)


def reason(why: str, detail: str) -> str:
    """Say why a state was entered: a word of `InstanceState.why` and its detail."""
    return because(_WHY.get(why, why), detail)
