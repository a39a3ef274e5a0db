"""How a program is told of an event: its arguments and its environment.

Rule: what keepalived's notify scripts get, ours get too: `INSTANCE name STATE priority`
(keepalived.conf(5), `notify`); everything else is told as `TYPE ENTITY`.
"""

from collections.abc import Mapping

from libra_notifier.notice import Notice
from libra_notifier.render import headline
from libra_notifier.routes import service_of
from libra_schemas.events import InstanceState
from libra_schemas.text import one_line

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_STATES = {"master": "MASTER", "backup": "BACKUP", "fault": "FAULT", "stopped": "STOP"}


def arguments(notice: Notice) -> tuple[str, ...]:
    """Name the arguments that follow the command."""
    data = notice.event.data
    if isinstance(data, InstanceState):
        return ("INSTANCE", data.instance, _STATES[data.state], str(data.priority))
    return (notice.subject.type, "/".join(notice.subject.key))


def environment(notice: Notice) -> Mapping[str, str]:
    """Name the whole environment of the program: nothing of ours is inherited."""
    subject = notice.subject
    found = {
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "LIBRA_SINK": notice.sink,
        "LIBRA_KEY": notice.key,
        "LIBRA_NODE": subject.node,
        "LIBRA_TYPE": subject.type,
        "LIBRA_SUBJECT": "/".join(subject.key),
        "LIBRA_SEQUENCE": str(notice.sequence),
        "LIBRA_ATTEMPT": str(notice.attempt),
        "LIBRA_ID": one_line(notice.event.id),
        "LIBRA_TIME": notice.event.time.isoformat(),
        "LIBRA_SUMMARY": headline(notice.event, subject),
    }
    return found | _named(notice)


def _named(notice: Notice) -> dict[str, str]:
    subject = notice.subject
    found = {}
    service = service_of(subject)
    if service is not None:
        found["LIBRA_SERVICE"] = service
    if subject.type.startswith("backend.") and len(subject.key) > 1:
        found["LIBRA_BACKEND"] = subject.key[1]
    if subject.type.startswith("vrrp."):
        found["LIBRA_INSTANCE"] = subject.key[0]
    return found
