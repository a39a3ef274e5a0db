"""What checks found, as text: a table of all, or the dialogue of one."""

from collections.abc import Sequence
from typing import Any

from libra_cli.config_file import plural
from libra_cli.exits import DONE, MISSING, REFUSED
from libra_cli.output import coloured, columns

Row = dict[str, Any]

_RESULTS = {
    "passed": ("passed", "green"),
    "failed": ("failed", "red"),
    "error": ("could not be run here", "yellow"),
    "unchecked": ("without a check", "yellow"),
}


def table(rows: Sequence[Row]) -> str:
    """Align the rows and count them."""
    aligned = columns([_cells(row) for row in rows])
    return f"{aligned}\n{_total(rows)}" if rows else _total(rows)


def status_of(rows: Sequence[Row]) -> int:
    """Choose the exit status: a check that failed counts before one that could not be run.

    What another check of a backend with `require: any` makes up for does not count.
    """
    made_up = _made_up_for(rows)
    results = {row["result"] for row in rows if row not in made_up}
    if "failed" in results:
        return REFUSED
    return MISSING if "error" in results else DONE


def remedies(rows: Sequence[Row]) -> list[str]:
    """Say once each why checks could not be run here, and what mends it."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row["result"] == "error":
            found.setdefault(_remedy(row), []).append(row["check"])
    return [
        f"{checks[0]}{_others(len(checks) - 1)} could not be run here: {why}"
        for why, checks in found.items()
    ]


def heading(said: Row) -> str:
    """Name the check whose dialogue follows."""
    return coloured(said["check"] or "no check", "bold")


def line(said: Row, before: Row | None) -> str:
    """Write a line of a dialogue, with its time where that is another than the one before."""
    is_same = before is not None and before.get("at_ms") == said["at_ms"]
    at = "" if is_same else f"+{said['at_ms']:.1f} ms"
    return f"{at:>12}  {said['line']}".rstrip()


def verdict(row: Row) -> str:
    """Write how a check ended, and what mends it where it could not be run here."""
    what, colour = _RESULTS[row["result"]]
    weight = "" if row["weight"] is None else f", weight {row['weight']}"
    why = _remedy(row)
    took = f" after {row['ms']:.1f} ms" if row["ms"] is not None else ""
    return f"  {coloured(what, colour)}{weight}{took}" + (f": {why}" if why else "")


def _cells(row: Row) -> tuple[str, ...]:
    weight = "" if row["weight"] is None else f"weight {row['weight']}"
    took = "" if row["ms"] is None else f"{row['ms']:.1f} ms"
    result = coloured(row["result"], _RESULTS[row["result"]][1])
    why = " ".join(part for part in (weight, _why(row)) if part)
    return row["service"], row["backend"], row["check"] or "-", result, took, why


def _why(row: Row) -> str:
    return ": ".join(part for part in (row["reason"], row["detail"]) if part)


def _remedy(row: Row) -> str:
    return _why(row) + (f"; {row['hint']}" if row["hint"] else "")


def _made_up_for(rows: Sequence[Row]) -> list[Row]:
    """Give what did not pass of backends that need one check alone, and have it."""
    up = {_backend(row) for row in rows if row["require"] == "any" and row["result"] == "passed"}
    return [row for row in rows if row["result"] != "passed" and _backend(row) in up]


def _backend(row: Row) -> tuple[str, str]:
    return row["service"], row["backend"]


def _total(rows: Sequence[Row]) -> str:
    found = [row["result"] for row in rows]
    counts = {words: found.count(result) for result, (words, _) in _RESULTS.items()}
    told = [f"{number} {words}" for words, number in counts.items() if number]
    if made_up := _made_up_for(rows):
        told.append(f"{len(made_up)} of them made up for by another check (require: any)")
    return ", ".join(told) or "nothing to check"


def _others(number: int) -> str:
    return f" and {plural(number, 'others')}" if number else ""
