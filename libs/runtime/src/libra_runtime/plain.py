"""Log lines as `logs` writes them, without structlog: for processes that must stay light."""

import json
import sys
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType

from libra_runtime.outlet import Outlet, install


@dataclass(frozen=True, slots=True)
class Plain:
    """Who logs: every line carries *service* and *node*."""

    service: str
    node: str

    def line(self, event: str, level: str = "info", **facts: object) -> str:
        """Give one line: words on a terminal, JSON otherwise."""
        if sys.stderr.isatty():
            said = "".join(f" {name}={value}" for name, value in facts.items())
            return f"libra-{self.service}: {event}{said}\n"
        head = {"service": self.service, "node": self.node}
        when = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        tail = {"event": event, "level": level, "timestamp": when}
        return json.dumps(head | facts | tail, default=str) + "\n"

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
