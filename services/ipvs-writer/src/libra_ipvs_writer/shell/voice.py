"""Says to the log what the writer decided and did; counts changes between whole listings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from libra_ipvs_writer import report
from libra_ipvs_writer.outcome import Result
from libra_ipvs_writer.report import Motive
from libra_runtime import stamp
from libra_runtime.journal import Journal
from libra_schemas.events import EventData
from libra_schemas.intent.desired import Wanted
from libra_schemas.operations import Operation
from libra_schemas.table import ServiceKey, ServiceTable, Table

NOTHING = Motive()


@dataclass(slots=True)
class Voice:
    """What one writer says; *counts* is, by service, the changes since its last listing."""

    journal: Journal
    revision: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    def _say(self, kind: str, name: str, data: EventData, motive: Motive) -> None:
        cause = motive.causes[0].id if motive.causes else None
        self.journal.publish(
            stamp.draft(kind, (name,), data, cause=cause, configrev=self.revision or None)
        )

    def verdict(self, wanted: Wanted, motive: Motive) -> None:
        """Say that a service gained or lost its quorum."""
        kind = "service.up" if wanted.verdict.up else "service.down"
        self._say(kind, wanted.name, report.verdict(wanted, motive.causes), motive)

    def changed(
        self,
        name: str,
        key: ServiceKey,
        held: Table,
        done: Sequence[Operation],
        motive: Motive,
        done_at: "Moment",
    ) -> None:
        """Say what the kernel accepted; *held* is the table before."""
        latency = None
        if motive.causes:
            first = min(each.time for each in motive.causes)
            latency = max(0.0, (done_at.time - first).total_seconds() * 1000)
        count = self.counts.get(name, 0)
        for data in report.changes(name, key, held, done, motive, count):
            self.counts[name] = data.changes
            timed = {"cause_to_kernel_ms": latency, "perform_ms": done_at.perform_ms}
            self._say("table.changed", name, data.model_copy(update=timed), motive)

    def recorded(self, name: str, why: str, table: ServiceTable | None) -> None:
        """Say the whole listing of a service."""
        self.counts[name] = 0
        self._say("table.recorded", name, report.record(name, why, table), NOTHING)

    def listed(self, name: str, why: str, tables: Sequence[ServiceTable | None]) -> None:
        """Say several listings of a service that has more than one key, what is gone first.

        None says that nothing of the service is left (`libra_schemas.intent.history`).
        """
        if None in tables:
            self.recorded(name, why, None)
        for table in tables:
            if table is not None:
                self.recorded(name, why, table)

    def refused(
        self, name: str, results: Sequence[Result], attempt: int, retry: float, motive: Motive
    ) -> None:
        """Say what the kernel refused, to the log of this process too; *retry* in seconds."""
        data = report.refusal(name, results, attempt, retry * 1000)
        facts = {"why": data.error, "attempt": attempt, "retry_s": retry}
        structlog.get_logger().warning("the kernel refused a change", service=name, **facts)
        self._say("table.refused", name, data, motive)

    def drifted(
        self,
        name: str,
        before: ServiceTable | None,
        now: ServiceTable | None,
        *,
        ours: bool,
    ) -> None:
        """Say that the kernel differs from what was written."""
        self._say("table.drift", name, report.drift(name, before, now, ours=ours), NOTHING)


@dataclass(frozen=True, slots=True)
class Moment:
    """When the last ack came (wall time) and how long the writing took."""

    time: datetime
    perform_ms: float
