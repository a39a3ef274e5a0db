"""Events in people's words: one sentence per event, and the text of a mail.

Rule: total and plain. An event type without a sentence of its own still gets one, and nothing a
backend or an operator wrote can break out of its line.
"""

import json
from typing import Any

from libra_notifier.notice import Notice
from libra_schemas.envelope import Event, Unrecognised
from libra_schemas.sentences.event import sentence
from libra_schemas.subjects import Subject
from libra_schemas.text import one_line

_DATA_LIMIT = 16 * 1024

_TEXT = """\
{sentence}

when     {when}
node     {node}
event    {type} {entity}
log      {sequence}
id       {id}
cause    {cause}

{data}
"""


def headline(event: Event | Unrecognised, subject: Subject) -> str:
    """Say in one line of at most 300 characters what happened."""
    return one_line(sentence(event, subject))


def text(notice: Notice) -> str:
    """Render the text of a mail: the sentence, where it stands in the log, and all the data."""
    event = notice.event
    return _TEXT.format(
        sentence=headline(event, notice.subject),
        when=event.time.isoformat(sep=" ", timespec="milliseconds"),
        node=notice.subject.node,
        type=notice.subject.type,
        entity="/".join(notice.subject.key),
        sequence=notice.sequence,
        id=one_line(event.id),
        cause=one_line(event.causationid or "-"),
        data=_data(event),
    )


def _data(event: Event | Unrecognised) -> str:
    plain: Any = event.model_dump(mode="json", exclude_none=True).get("data")
    written = json.dumps(plain, indent=2, ensure_ascii=True)
    return written if len(written) <= _DATA_LIMIT else written[:_DATA_LIMIT] + "\n[cut]"
