from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

from libra_schemas.rules.sinks import matches

MAIL = {"to": ["ops@example.com"], "from": "libra@example.com", "server": "mail.example.com"}


@pytest.mark.parametrize(
    ("pattern", "event_type", "covered"),
    [
        ("backend.down", "backend.down", True),
        ("backend.*", "backend.down", True),
        ("*.down", "service.down", True),
        ("*.*", "vrrp.master", True),
        ("backend.up", "backend.down", False),
        ("service.*", "backend.down", False),
    ],
)
def test_a_pattern_covers_types(pattern: str, event_type: str, covered: bool) -> None:
    assert matches(pattern, event_type) is covered


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("backend.dwn", "did you mean backend.down?"),
        ("moon.*", "docs/events.md lists all"),
    ],
)
def test_a_pattern_that_covers_nothing_is_told(
    document: Document, complaints: Complain, pattern: str, hint: str
) -> None:
    document["notify"]["ops"]["match"] = ["vrrp.*", pattern]
    expected = f"notify.ops.match[1]: no event type is {pattern} ({hint})"
    assert complaints(document) == [expected]


@pytest.mark.parametrize(
    ("kinds", "named"),
    [
        pytest.param({}, "", id="none"),
        pytest.param(
            {"webhook": {"url_file": "/u"}, "program": {"command": ["/bin/true"]}},
            ", not webhook and program (name a sink for each)",
            id="two",
        ),
    ],
)
def test_a_sink_is_of_one_kind(
    document: Document, complaints: Complain, kinds: dict[str, Any], named: str
) -> None:
    document["notify"]["ops"] = {"match": ["*.*"]} | kinds
    complaint = f"notify.ops: name exactly one of webhook, email, program{named}"
    assert complaints(document) == [complaint]


@pytest.mark.parametrize(
    ("given", "missing"),
    [({"user": "libra"}, "password_file"), ({"password_file": "/etc/libra/pw"}, "user")],
)
def test_half_a_credential_is_told(
    document: Document, complaints: Complain, given: dict[str, Any], missing: str
) -> None:
    document["notify"]["ops"] = {"email": MAIL | given, "match": ["*.*"]}
    complaint = f"notify.ops.email.{missing}: is missing beside {next(iter(given))}"
    assert complaints(document) == [complaint]


@pytest.mark.parametrize("given", [{}, {"user": "libra", "password_file": "/etc/libra/pw"}])
def test_mail_with_both_or_neither_is_fine(
    document: Document, complaints: Complain, given: dict[str, Any]
) -> None:
    document["notify"]["ops"] = {"email": MAIL | given, "match": ["*.*"]}
    assert complaints(document) == []
