"""`ldap` against slapd."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.daemons.process import Daemon
from tests.daemons.slapd import ADMIN, BASE, PASSWORD, PERSON, slapd
from tests.health.servers.conftest import Ask

from libra_health.outcome import Failed, Passed, Reason

Pem = tuple[Path, Path]


@pytest.fixture
def password(tmp_path: Path) -> str:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return str(tmp_path / "password")


@pytest.fixture(scope="module")
def server() -> Iterator[Daemon]:
    with slapd() as daemon:
        yield daemon


@pytest.mark.parametrize(
    "ldap",
    [
        None,
        {"base": BASE},
        {"base": "", "scope": "base"},
        {"base": BASE, "at_least": 2},
        {"base": BASE, "scope": "one", "filter": "(uid=ada)"},
        {"base": PERSON, "scope": "base", "filter": "(sn=*)"},
        {"base": BASE, "filter": "(&(objectClass=inetOrgPerson)(|(uid=a*a)(uid=b*))(!(cn=Eve)))"},
        {"base": BASE, "filter": "(cn=*d*)"},
        {"base": BASE, "filter": "(cn~=Ada)"},
        {"base": BASE, "filter": r"(sn=\4covelace)"},
        {"base": BASE, "filter": "(uid=eve)", "at_least": 0},
    ],
)
def test_a_directory_passes_with_what_was_asked_for(ask: Ask, server: Daemon, ldap: Any) -> None:
    outcome = ask(server, {"ldap": ldap})
    assert isinstance(outcome, Passed), outcome


@pytest.mark.parametrize(
    ("ldap", "reason", "detail"),
    [
        ({"base": BASE, "filter": "(uid=eve)"}, Reason.CONTENT, "0 entries found, wanted 1"),
        ({"base": BASE, "at_least": 3}, Reason.CONTENT, "2 entries found, wanted 3"),
        ({"base": "dc=other"}, Reason.STATUS, "the search: noSuchObject (32)"),
        (
            {"base": "no dn"},
            Reason.STATUS,
            "the search: invalidDNSyntax (34): 'invalid DN'",
        ),
        (
            {"starttls": True},
            Reason.STATUS,
            "answer to StartTLS: protocolError (2): 'unsupported extended operation'",
        ),
    ],
)
def test_a_directory_that_does_not_have_it_says_why(
    ask: Ask, server: Daemon, ldap: Any, reason: Reason, detail: str
) -> None:
    outcome = ask(server, {"ldap": ldap})
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.detail) == (reason, detail)


def test_who_binds_needs_the_right_password(
    ask: Ask, server: Daemon, password: str, tmp_path: Path
) -> None:
    for who in (ADMIN, PERSON):
        bind = {"bind_dn": who, "password_file": password, "base": PERSON}
        assert isinstance(ask(server, {"ldap": bind}), Passed)
    (tmp_path / "password").write_text("wrong")
    outcome = ask(server, {"ldap": {"bind_dn": ADMIN, "password_file": password}})
    assert isinstance(outcome, Failed)
    assert outcome.detail == "answer to the bind: invalidCredentials (49)"


def test_a_server_that_lets_nobody_in_unnamed_says_so(ask: Ask) -> None:
    with slapd("disallow bind_anon") as strict:
        outcome = ask(strict, "ldap")
        assert isinstance(outcome, Failed)
        assert outcome.detail == (
            "answer to the bind: inappropriateAuthentication (48): 'anonymous bind disallowed'"
        )


def test_tls_begins_by_an_operation(ask: Ask, password: str, pem: Pem) -> None:
    bind = {"bind_dn": ADMIN, "password_file": password, "base": BASE}
    tls = {"name": "server.example", "ca_file": str(pem[0])}
    with slapd(tls=pem) as secured:
        assert isinstance(ask(secured, {"ldap": bind | {"starttls": True, "tls": tls}}), Passed)
        unknown = ask(secured, {"ldap": {"starttls": True}})
        assert isinstance(unknown, Failed)
        assert unknown.reason == Reason.CERTIFICATE


def test_tls_is_spoken_from_the_first_byte_on(ask: Ask, password: str, pem: Pem) -> None:
    bind = {"bind_dn": ADMIN, "password_file": password, "base": BASE}
    tls = {"name": "server.example", "ca_file": str(pem[0])}
    with slapd(tls=pem, implicit=True) as secured:
        assert isinstance(ask(secured, {"ldap": bind | {"tls": tls}}), Passed)
        late = ask(secured, {"ldap": {"tls": tls | {"expires_within": "30d"}}})
        assert isinstance(late, Failed)
        assert late.reason == Reason.EXPIRY
