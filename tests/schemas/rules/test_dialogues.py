from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

OPEN = (
    "would be sent without TLS "
    "(add starttls: true or tls: true, or in_clear: true if nobody can listen)"
)
BY_FILE = "a secret is never a value (write it to a file and name that as password_file)"
LOGIN = {"user": "probe", "password_file": "/etc/libra/mail"}
BIND = {"bind_dn": "cn=probe", "password_file": "/etc/libra/ldap"}


@pytest.mark.parametrize(
    ("check", "complaint"),
    [
        ({"smtp": {"user": "probe"}}, "smtp.password_file: is missing beside user"),
        (
            {"smtp": {"password_file": "/x", "starttls": True}},
            "smtp.user: is missing beside password_file",
        ),
        ({"ldap": {"bind_dn": "cn=x"}}, "ldap.password_file: is missing beside bind_dn"),
        (
            {"ldap": {"password_file": "/x", "tls": True}},
            "ldap.bind_dn: is missing beside password_file",
        ),
        (
            {"smtp": {"user": "probe", "password": "hush"}},
            f"smtp.password: {BY_FILE}",
        ),
        ({"smtp": LOGIN}, f"smtp.password_file: {OPEN}"),
        ({"ldap": BIND | {"tls": False}}, f"ldap.password_file: {OPEN}"),
        (
            {"ldap": {"scope": "one"}},
            'ldap.scope: is missing its base (add base: "dc=example,dc=net")',
        ),
    ],
)
def test_a_dialogue_that_cannot_be_held_is_told_where_it_stands(
    document: Document, complaints: Complain, check: dict[str, Any], complaint: str
) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == [f"services.web.check.{complaint}"]


@pytest.mark.parametrize(
    "check",
    [
        "smtp",
        "ldap",
        {"smtp": LOGIN | {"starttls": True}},
        {"smtp": LOGIN | {"tls": {"verify": False}}},
        {"smtp": LOGIN | {"in_clear": True}},
        {"ldap": BIND | {"starttls": True}},
        {"ldap": {"base": "", "scope": "base", "at_least": 0}},
    ],
)
def test_a_dialogue_that_can_be_held_is_fine(
    document: Document, complaints: Complain, check: object
) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == []
