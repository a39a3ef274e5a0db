"""The machine's reports as events: told in the log output, and recorded."""

from datetime import UTC, datetime

import structlog

from libra_runtime.stamp import new_id
from libra_schemas.envelope import Draft
from libra_schemas.events.vrrp import Takeover
from libra_schemas.sentences.event import said
from libra_vrrp.facts import Fact, fact_of, level_of, takeover_of
from libra_vrrp.reports import AlarmRaised, Follows, Report, Transition, Weighed
from libra_vrrp.shell.source import Record, Source

log = structlog.get_logger()


class Publishing:
    """Each report becomes one event at most, under the revision of the config in force."""

    def __init__(self, record: Record, source: Source) -> None:
        self._record = record
        self._source = source
        self._takeovers: dict[str, Takeover] = {}

    def publish(self, report: Report) -> None:
        """Publish what a report says, if it says something that is published."""
        if not isinstance(report, Transition | AlarmRaised | Weighed | Follows):
            return
        try:
            fact = self._fact(report)
        except (ValueError, KeyError) as wrong:
            log.warning("report cannot be published", reason=str(wrong))
            return
        if fact is None:
            return
        kind, data = fact
        told = data.model_dump(exclude={"causes"}, mode="json")
        log.log(level_of(data), "decided", type=kind, said=said(data, kind), **told)
        key, when = (report.instance,), datetime.fromtimestamp(report.at, UTC)
        revision = self._source.revision
        self._record.publish(Draft(kind, key, data, new_id(), when, configrev=revision))

    def _fact(self, report: Transition | AlarmRaised | Weighed | Follows) -> Fact | None:
        """Return what is to be published; a machine that starts anew forgets who took over when."""
        if isinstance(report, Transition) and (takeover := takeover_of(report)) is not None:
            self._takeovers[report.instance] = takeover
        return fact_of(report, self._takeovers.get(report.instance))
