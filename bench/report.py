"""What a row says: figures of LibrA and of its peer from one run, and whether the target is met."""

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True)
class Measured:
    """Samples of LibrA and, by name, of its peers, in the row's unit; *more* is told beside."""

    libra: Sequence[float]
    peers: Mapping[str, Sequence[float]] = field(default_factory=dict)
    more: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of design §12. *met* judges what was measured against *target*."""

    name: str
    unit: str
    target: str
    where: Literal["lab", "host"]
    measure: Callable[[], Measured]
    met: Callable[[Measured], bool]


def figures(samples: Sequence[float]) -> dict[str, float]:
    """Sum samples up: the median to quote, the worst to fear."""
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
        "libra": figures(measured.libra),
        "peer": {name: figures(samples) for name, samples in measured.peers.items()},
        "more": dict(measured.more),
        "target": row.target,
        "met": met,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{row.name}.json").write_text(json.dumps(found, indent=2) + "\n")
    _print(row, found)
    return met


def _print(row: Row, found: dict[str, Any]) -> None:
    base = found["libra"]["median"]
    lines = [
        f"{row.name} ({row.unit}); target: {row.target}; {'met' if found['met'] else 'MISSED'}"
    ]
    for name, numbers in {"libra": found["libra"], **found["peer"]}.items():
        ratio = f"  x{numbers['median'] / base:.2f}" if name != "libra" and base else ""
        lines.append(
            f"  {name:<18} median {numbers['median']:>10}  worst {numbers['worst']:>10}"
            f"  n {numbers['n']}{ratio}"
        )
    lines += [f"  {name:<18} {value:g}" for name, value in found["more"].items()]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
