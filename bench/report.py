"""What a row says: figures of LibrA and of its peer from one run, and whether the target is met."""

import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True)
class Measured:
    """Samples of LibrA and, by name, of its peers, in the row's unit; *more* is told beside.

    A row of several cases has them in *cases* by name, and the samples of the first for its own.
    """

    libra: Sequence[float]
    peers: Mapping[str, Sequence[float]] = field(default_factory=dict)
    more: Mapping[str, float] = field(default_factory=dict)
    cases: Mapping[str, "Measured"] = field(default_factory=dict)

    @classmethod
    def of(cls, cases: Mapping[str, "Measured"]) -> "Measured":
        """Sum several cases up, of which the first is to be quoted."""
        return replace(next(iter(cases.values())), cases=cases)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of design §12. *met* judges what was measured against *target*.

    It runs in the lab, on this host, or in network namespaces of this host where that is allowed.
    """

    name: str
    unit: str
    target: str
    where: Literal["lab", "host", "namespaces"]
    measure: Callable[[], Measured]
    met: Callable[[Measured], bool]


def repeats(usual: int) -> int:
    """Give how often a thing is measured: as N says, else as usual."""
    return int(os.environ.get("N") or usual)


def figures(samples: Sequence[float]) -> dict[str, float]:
    """Sum samples up: the median to quote, the worst to fear; neither where there is none."""
    if not samples:
        return {"n": 0}
    return {
        "median": round(statistics.median(samples), 4),
        "worst": round(max(samples), 4),
        "n": len(samples),
    }


def p99(samples: Sequence[float]) -> float:
    """Give the sample that one in a hundred exceeds."""
    return sorted(samples)[len(samples) * 99 // 100]


def tell(row: Row, measured: Measured) -> bool:
    """Print a row's table, write its JSON, and return whether the target is met."""
    met = row.met(measured)
    found: dict[str, Any] = {
        "row": row.name,
        "unit": row.unit,
        **_found(measured),
        "target": row.target,
        "met": met,
    }
    if measured.cases:
        found["cases"] = {name: _found(case) for name, case in measured.cases.items()}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{row.name}.json").write_text(json.dumps(found, indent=2) + "\n")
    _print(row, found)
    return met


def _found(measured: Measured) -> dict[str, Any]:
    return {
        "libra": figures(measured.libra),
        "peer": {name: figures(samples) for name, samples in measured.peers.items()},
        "more": dict(measured.more),
    }


def _print(row: Row, found: dict[str, Any]) -> None:
    lines = [
        f"{row.name} ({row.unit}); target: {row.target}; {'met' if found['met'] else 'MISSED'}"
    ]
    for name, case in found.get("cases", {"": found}).items():
        lines += [f"{name}:", *_lines(case)] if name else _lines(case)
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _lines(found: dict[str, Any]) -> list[str]:
    base, lines = found["libra"].get("median"), []
    for name, numbers in {"libra": found["libra"], **found["peer"]}.items():
        median, worst = numbers.get("median", "-"), numbers.get("worst", "-")
        is_peer = name != "libra" and base and numbers["n"]
        ratio = f"  x{median / base:.2f}" if is_peer else ""
        lines.append(
            f"  {name:<18} median {median:>10}  worst {worst:>10}  n {numbers['n']}{ratio}"
        )
    return lines + [f"  {name:<18} {value:g}" for name, value in found["more"].items()]
