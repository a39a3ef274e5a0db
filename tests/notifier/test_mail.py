"""Mails."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

from libra_notifier.mail import compose, helo
from libra_schemas.config.notify import EmailSink

NOW = datetime(2026, 11, 22, 3, 12, 6, tzinfo=UTC)
SINK = EmailSink.model_validate(
    {"to": ["ops@example.org", "boss@example.org"], "from": "libra@example.net", "server": "x"}
)


def test_a_mail_says_what_happened_in_its_subject(make: Any) -> None:
    mail = compose(make.notice(), SINK, NOW)
    assert mail["Subject"] == "[a] backend w1 of web is down: connection refused (3 of 3)"
    assert mail["From"] == "libra@example.net"
    assert mail["To"] == "ops@example.org, boss@example.org"
    assert mail["Date"] == "Sun, 22 Nov 2026 03:12:06 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_the_message_id_is_the_idempotency_key(make: Any) -> None:
    assert compose(make.notice(), SINK, NOW)["Message-ID"] == "<ops-id-1@example.net>"


def test_a_mail_survives_the_wire_whatever_a_backend_said(make: Any) -> None:
    notice = make.notice(data=make.down(detail="größe\r\nX-Evil: 1\r\n\r\n." + "x" * 400))
    wire = compose(notice, SINK, NOW).as_bytes(policy=policy.SMTP)
    back = message_from_bytes(wire, policy=policy.default)
    assert back["X-Evil"] is None
    assert "größe" in back["Subject"]
    assert back.get_content().startswith("backend w1 of web is down")
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998


def test_we_introduce_ourselves_with_a_domain() -> None:
    assert helo("a", SINK) == "a.example.net"
