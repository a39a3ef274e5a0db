"""What a single run of the checks is told by: plain values, one row per check of a backend.

The one rule: the rows are those of the config, in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias, assert_never

from libra_health.dialogue import Dialogue, shown
from libra_health.fitness import remedy
from libra_health.outcome import Errored, Failed, Outcome, Passed
from libra_health.probes import Probe
from libra_health.verdict import Lookout, Watch
from libra_schemas.errors import LibraError

Row: TypeAlias = dict[str, Any]
PASSED, FAILED, ERROR, UNCHECKED = "passed", "failed", "error", "unchecked"
_NOTHING: Final = Dialogue()


class NoSuchBackend(LibraError):
    """Nobody watches a backend of this name."""


def watch_of(watches: Iterable[Watch], name: str) -> Watch:
    """Find the backend SERVICE/BACKEND; raise NoSuchBackend with what there is."""
    service, _, backend = name.partition("/")
    by_key = {watch.key: watch for watch in watches}
    if (found := by_key.get((service, backend))) is not None:
        return found
    services = dict.fromkeys(each for each, _ in by_key)
    if service not in services:
        raise NoSuchBackend(f"the config has no service {service!r}: {_listed(services)}")
    own = [each for of, each in by_key if of == service]
    raise NoSuchBackend(f"service {service} has no backend {backend!r}: {_listed(own)}")


def rows_of(watch: Watch, outcome_of: Callable[[Probe], Outcome]) -> list[Row]:
    """Give a row per check of a backend, or one that says that it has none."""
    if not watch.lookouts:
        return [unchecked(watch)]
    return [row_of(watch, each, outcome_of(each.probe)) for each in watch.lookouts]


def unchecked(watch: Watch) -> Row:
    """Write down that a backend has no check."""
    return _row(watch, "") | {"result": UNCHECKED, "detail": "it is assumed up"}


def row_of(watch: Watch, lookout: Lookout, outcome: Outcome, dialogue: Dialogue = _NOTHING) -> Row:
    """Write one outcome down; what was sent in secret in `dialogue` is not in it."""
    row = _row(watch, lookout.label)
    match outcome:
        case Passed(latency, weight, detail):
            row |= {"result": PASSED, "ms": _ms(latency), "weight": weight}
        case Failed(reason, detail, latency):
            row |= {"result": FAILED, "reason": reason.value, "ms": _ms(latency)}
        case Errored(reason, detail):
            hint = remedy(lookout.probe, outcome)
            row |= {"result": ERROR, "reason": reason.value, "hint": hint}
        case _:
            assert_never(outcome)
    return row | {"detail": shown(dialogue, detail)}


def _row(watch: Watch, label: str) -> Row:
    return {
        "service": watch.key[0], "backend": watch.key[1], "check": label,
        "require": "any" if watch.policy.any_passes else "all", "result": "", "reason": "",
        "detail": "", "hint": "", "weight": None, "ms": None,
    }  # fmt: skip


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _listed(names: Iterable[str], most: int = 20) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f"it has {', '.join(listed[:most])}{more}" if listed else "it has none"
