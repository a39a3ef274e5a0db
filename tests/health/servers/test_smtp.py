"""`smtp` against aiosmtpd."""

from pathlib import Path
from typing import Any

import pytest
from tests.daemons.smtp import PASSWORD, USER, smtp
from tests.health.servers.conftest import Ask

from libra_health.outcome import Errored, Failed, Passed, Reason

Pem = tuple[Path, Path]


@pytest.fixture
def login(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return {"user": USER, "password_file": str(tmp_path / "password")}


def test_a_mail_server_passes_with_and_without_a_login(ask: Ask, login: dict[str, Any]) -> None:
    with smtp() as server:
        assert isinstance(ask(server, "smtp"), Passed)
        assert isinstance(ask(server, {"smtp": login | {"in_clear": True}}), Passed)
        wrong = ask(server, {"smtp": login | {"user": "eve"}})
        assert isinstance(wrong, Failed)
        assert wrong.reason == Reason.STATUS
        assert wrong.detail.startswith("answer to AUTH is '535 ")
        lacking = ask(server, {"smtp": {"starttls": True}})
        assert isinstance(lacking, Failed)
        assert lacking.reason == Reason.TLS


def test_who_is_offered_login_alone_logs_in_by_it(ask: Ask, login: dict[str, Any]) -> None:
    with smtp(exclude=("PLAIN",)) as server:
        assert isinstance(ask(server, {"smtp": login}), Passed)
    with smtp(exclude=("PLAIN", "LOGIN")) as server:
        outcome = ask(server, {"smtp": login})
        assert isinstance(outcome, Failed)
        assert outcome.detail.startswith("offers no AUTH PLAIN or LOGIN: '250 ")


def test_starttls_is_spoken_before_a_login(ask: Ask, login: dict[str, Any], pem: Pem) -> None:
    tls = {"name": "server.example", "ca_file": str(pem[0])}
    with smtp(tls=pem) as server:
        assert isinstance(ask(server, {"smtp": {"starttls": True, "tls": tls}}), Passed)
        assert isinstance(ask(server, {"smtp": login | {"starttls": True, "tls": tls}}), Passed)
        expiry = ask(server, {"smtp": {"starttls": True, "tls": tls | {"expires_within": "30d"}}})
        assert isinstance(expiry, Failed)
        assert expiry.reason == Reason.EXPIRY
        named = ask(server, {"smtp": {"starttls": True, "tls": tls | {"name": "other"}}})
        assert isinstance(named, Failed)
        assert named.reason == Reason.CERTIFICATE
        unknown = ask(server, {"smtp": {"starttls": True}})
        assert isinstance(unknown, Failed)
        assert unknown.reason == Reason.CERTIFICATE


def test_tls_is_spoken_from_the_first_byte_on(ask: Ask, login: dict[str, Any], pem: Pem) -> None:
    with smtp(tls=pem, implicit=True) as server:
        assert isinstance(ask(server, {"smtp": login | {"tls": {"verify": False}}}), Passed)
        outcome = ask(server, {"smtp": {"tls": {"ca_file": "/nowhere/ca.pem"}}})
        assert isinstance(outcome, Errored)
        assert outcome.reason == Reason.LOCAL


def test_a_password_that_cannot_be_read_is_our_trouble(ask: Ask, tmp_path: Path) -> None:
    lacking = {"user": USER, "password_file": str(tmp_path / "none")}
    with smtp() as server:
        assert ask(server, {"smtp": lacking}) == Errored(
            Reason.LOCAL, f"cannot read {tmp_path}/none: ENOENT"
        )
