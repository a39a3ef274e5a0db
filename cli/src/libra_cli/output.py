"""Printing: JSON for scripts, text for people."""

import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any


def print_json(value: Any) -> None:
    """Print one JSON value on one line."""
    print(json.dumps(value, ensure_ascii=False))


def columns(rows: Sequence[tuple[str, ...]], indent: str = "") -> str:
    """Align *rows* in columns, two spaces apart, nothing after the last."""
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    return "\n".join(
        indent
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    )


def clock(moment: str) -> str:
    """Give an ISO 8601 *moment* as local time to the second."""
    return datetime.fromisoformat(moment).astimezone().isoformat(sep=" ", timespec="seconds")[:19]


_COLOURS = {"green": "32", "red": "31", "yellow": "33", "dim": "2", "bold": "1"}


def coloured(text: str, colour: str) -> str:
    """Colour *text* on a terminal (unless NO_COLOR is set), leave it alone otherwise."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"
