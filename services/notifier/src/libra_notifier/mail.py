"""The mail that tells of an event (RFC 5322).

Rule: every header follows from the event but Date; so a second delivery is the same mail, and
mail stores that look at Message-ID keep one.
"""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from libra_notifier.notice import Notice
from libra_notifier.render import headline, text
from libra_schemas.config.notify import EmailSink


def compose(notice: Notice, sink: EmailSink, now: datetime) -> EmailMessage:
    """Write the mail to all recipients of *sink*; *now* is aware."""
    domain = sink.sender.partition("@")[2]
    mail = EmailMessage()
    mail["From"] = sink.sender
    mail["To"] = ", ".join(sink.to)
    mail["Subject"] = f"[{notice.subject.node}] {headline(notice.event, notice.subject)}"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{notice.key}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Libra-Type"] = notice.subject.type
    mail["X-Libra-Key"] = notice.key
    mail.set_content(text(notice))
    return mail


def helo(node: str, sink: EmailSink) -> str:
    """Name us to the mail server: many want a name with a domain (RFC 5321 §4.1.4)."""
    return f"{node}.{sink.sender.partition('@')[2]}"
