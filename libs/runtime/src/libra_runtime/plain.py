"""Log lines as `logs` writes them, without structlog: for processes that must stay light."""

import json
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from libra_runtime.outlet import Outlet, install

FORMAT: Final = "LIBRA_LOG_FORMAT"
"""Names the variable that says `text` or `json`, whatever standard error is."""
FORMATS: Final = ("text", "json")

_HEAD: Final = frozenset({"service", "node", "timestamp", "level", "event", "exception"})
_DECIDED: Final = frozenset({"type", "said"})


def is_text() -> bool:
    """Say whether lines are for people: on a terminal, unless it is said otherwise."""
    said = os.environ.get(FORMAT, "")
    return said == "text" if said in FORMATS else sys.stderr.isatty()


def words(line: Mapping[str, Any]) -> str:
    """Give a line of a log in words: when, how bad, who, what, and the facts that are there.

    A decision is told by its sentence; its facts are in the line that machines read.
    """
    facts = {name: fact for name, fact in line.items() if name not in _HEAD}
    event = str(line["event"])
    if facts.keys() >= _DECIDED:
        event, facts = f"{facts['type']}: {facts['said']}", {}
    told = [f"{name}={_told(fact)}" for name, fact in facts.items() if fact not in (None, "", [])]
    who = f"libra-{line['service']}: {_shown(event)}"
    text = "  ".join([line["timestamp"], f"{line['level']:<8}", " ".join([who, *told])])
    return f"{text}\n{broke}" if (broke := str(line.get("exception", "")).rstrip()) else text


def _told(fact: object) -> str:
    text = ",".join(map(str, fact)) if isinstance(fact, list) else str(fact)
    if text.isprintable() and (not text or set(text) & set(" \"'=")):
        return json.dumps(text, ensure_ascii=False)
    return _shown(text)


def _shown(text: str) -> str:
    """Give text that neither ends the line nor tells the terminal anything but itself."""
    return text if text.isprintable() else json.dumps(text)


@dataclass(frozen=True, slots=True)
class Plain:
    """Who logs: every line carries *service* and *node*."""

    service: str
    node: str

    def line(self, event: str, level: str = "info", **facts: object) -> str:
        """Give one line: words for people, JSON for machines."""
        head = {"service": self.service, "node": self.node}
        when = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = head | facts | {"event": event, "level": level, "timestamp": when}
        return f"{words(line) if is_text() else json.dumps(line, default=str)}\n"

    def log(self, event: str, level: str = "info", **facts: object) -> None:
        """Write one line."""
        sys.stderr.write(self.line(event, level, **facts))

    def note(self, count: int) -> str:
        """Give the line that stands for lines dropped."""
        return self.line("log lines dropped, nobody read them", "warning", count=count)

    def install(self) -> Outlet:
        """Log without waiting, from now on, and what breaks this process too."""
        outlet = install(self.note)
        sys.excepthook = self._broke
        return outlet

    def _broke(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))
        self.log("process broke", "critical", exception=text)
