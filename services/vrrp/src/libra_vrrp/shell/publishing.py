"""The machine's reports as events: told in the log output, and recorded."""

from datetime import UTC, datetime

import structlog

from libra_runtime.stamp import new_id
from libra_schemas.envelope import Draft
from libra_vrrp.facts import fact_of
from libra_vrrp.reports import AlarmRaised, Report, Transition, Weighed
from libra_vrrp.shell.source import Record

log = structlog.get_logger()


def publish(report: Report, record: Record, revision: str | None) -> None:
    """Publish the event that a report becomes, if it becomes one, under a config's revision."""
    try:
        fact = fact_of(report)
    except (ValueError, KeyError) as wrong:
        log.warning("report cannot be published", reason=str(wrong))
        return
    if fact is None or not isinstance(report, Transition | AlarmRaised | Weighed):
        return
    kind, data = fact
    log.info("decided", type=kind, **data.model_dump(exclude={"causes"}, mode="json"))
    key, when = (report.instance,), datetime.fromtimestamp(report.at, UTC)
    record.publish(Draft(kind, key, data, new_id(), when, configrev=revision))
