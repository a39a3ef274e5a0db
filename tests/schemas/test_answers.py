import pytest

from libra_schemas.answers import canonical, checked_name


@pytest.mark.parametrize(
    "name", [".", "example.net", "example.net.", "_ldap._tcp.example.net", "a" * 63, "192.0.2.1"]
)
def test_a_domain_name_is_taken_as_written(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "..", "a..b", ".a", "a" * 64, ".".join(["a" * 63] * 4), "bücher.de", "a b", "a\\b", "a\n"],
)
def test_what_is_no_domain_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no domain name"):
        checked_name(name)


@pytest.mark.parametrize(
    ("kind", "text", "spelled"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:DB8:0::1", "2001:db8::1"),
        ("CNAME", "WWW.Example.net.", "www.example.net"),
        ("NS", "ns.example.net", "ns.example.net"),
        ("PTR", ".", "."),
        ("MX", "010  Mail.example.net.", "10 mail.example.net"),
        ("SRV", "0 5 389 ldap.example.net", "0 5 389 ldap.example.net"),
        ("SOA", "ns.a. Host.a 1 2 3 4 4294967295", "ns.a host.a 1 2 3 4 4294967295"),
        ("TXT", "v=spf1  -All", "v=spf1  -All"),
    ],
)
def test_a_record_has_one_spelling(kind: str, text: str, spelled: str) -> None:
    assert canonical(kind, text) == spelled


@pytest.mark.parametrize(
    ("kind", "text", "complaint"),
    [
        ("A", "2001:db8::1", "no IPv4 address"),
        ("AAAA", "192.0.2.1", "no IPv6 address"),
        ("AAAA", "fe80::1%eth0", "no IPv6 address"),
        ("NS", "a b", "no domain name"),
        ("MX", "mail.example.net", "MX is written as in '10 mail.example.net'"),
        ("MX", "x mail.example.net", "'x' is none"),
        ("MX", "65536 mail.example.net", "'65536' is none"),
        ("SRV", "0 5 ldap.example.net", "SRV is written as in"),
        ("SOA", "ns.a host.a 1 2 3 4 4294967296", "'4294967296' is none"),
    ],
)
def test_what_is_no_record_of_the_type_is_refused(kind: str, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        canonical(kind, text)
