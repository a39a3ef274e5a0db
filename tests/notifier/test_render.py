"""Headlines and mail texts."""

from typing import Any

from libra_notifier.render import headline, text
from libra_schemas.envelope import decode
from libra_schemas.events import ConfigApplied
from libra_schemas.subjects import Subject


def test_the_headline_is_the_sentence(make: Any) -> None:
    notice = make.notice()
    words = "backend w1 of web is down: connection refused (3 of 3)"
    assert headline(notice.event, notice.subject) == words


def test_an_unknown_event_is_named_by_type_and_entity(make: Any) -> None:
    raw = make.notice().raw.replace(b"backend.down", b"backend.moved")
    subject, event = decode("lvs.a.backend.moved.web.w1", raw)
    assert headline(event, subject) == "backend.moved web/w1 is not known to this release"


def test_the_text_says_what_where_and_why(make: Any) -> None:
    lines = text(make.notice()).splitlines()
    assert lines[0] == "backend w1 of web is down: connection refused (3 of 3)"
    assert "when     2026-11-22 03:12:05.250+00:00" in lines
    assert "node     a" in lines
    assert "event    backend.down web/w1" in lines
    assert "log      1234" in lines
    assert "id       id-1" in lines
    assert any('"reason": "refused"' in line for line in lines)


def test_a_huge_event_is_cut(make: Any) -> None:
    data = ConfigApplied(number=1, hash="0" * 64, document={"x": "y" * 50_000}, author="eve")
    found = text(make.notice("config.applied", ("cluster",), data))
    assert len(found) < 20_000
    assert found.rstrip().endswith("[cut]")


def test_what_a_backend_said_stays_on_its_line(make: Any) -> None:
    data = make.down(detail="ha\r\nBcc: all@example.org\x1b[2J")
    event = make.notice(data=data).event
    found = headline(event, Subject("a", "backend.down", ("web", "w1")))
    assert found.isprintable()
    assert "ha Bcc: all@example.org" in found
