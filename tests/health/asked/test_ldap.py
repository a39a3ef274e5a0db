from libra_health.asked.ldap import asked
from libra_health.checks.ldap import LdapSpec
from libra_health.handshake import TlsSpec
from libra_health.protocols.ldap_message import search
from libra_health.wire import Target, Tls
from libra_schemas import config as written
from libra_schemas.filters import parse

TARGET = Target("192.0.2.1", 389)


def test_nothing_written_binds() -> None:
    assert asked(written.LdapSpec(), TARGET) == LdapSpec()


def test_every_option_is_taken_over() -> None:
    spec = written.LdapSpec.model_validate(
        {
            "bind_dn": "cn=a", "password_file": "/p", "starttls": True,
            "tls": {"name": "d", "expires_within": "1h"},
            "base": "dc=a", "scope": "one", "filter": "(uid=a)", "at_least": 3,
        }
    )  # fmt: skip
    assert asked(spec, TARGET) == LdapSpec(
        "cn=a", "/p", TlsSpec(Tls("d"), 3600.0), starttls=True, at_least=3,
        search=search("dc=a", "one", parse("(uid=a)"), 3),
    )  # fmt: skip


def test_a_search_that_may_find_nothing_still_stops_early() -> None:
    spec = written.LdapSpec(base="", scope="base", at_least=0)
    assert asked(spec, TARGET).search == search("", "base", parse("(objectClass=*)"), 1)
