import pytest

from libra_health.asked.dns import asked
from libra_health.checks.dns import DnsSpec
from libra_health.protocols.dns_answer import question
from libra_health.wire import Target
from libra_schemas import config as written

TARGET = Target("192.0.2.1", 53)


def test_nothing_written_asks_for_the_root() -> None:
    assert asked(written.DnsSpec(), TARGET) == DnsSpec(question(".", "SOA"))


def test_every_option_is_taken_over() -> None:
    spec = written.DnsSpec(
        name="example.net", type="MX", transport="tcp", recursion=False,
        expect=("10 Mail.example.net.",), at_least=2,
    )  # fmt: skip
    assert asked(spec, TARGET) == DnsSpec(
        question("example.net", "MX"), recursion=False, expect=("10 mail.example.net",),
        at_least=2, is_tcp=True,
    )  # fmt: skip


def test_no_answer_is_wanted_where_none_comes() -> None:
    assert asked(written.DnsSpec(rcode="NXDOMAIN"), TARGET).at_least == 0


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("2001:db8::1", "1" + ".0" * 23 + ".8.b.d.0.1.0.0.2.ip6.arpa"),
        ("host.example.net", "host.example.net"),
    ],
)
def test_an_address_will_do_for_the_name_of_its_ptr(name: str, meant: str) -> None:
    spec = written.DnsSpec(name=name, type="PTR")
    assert asked(spec, TARGET).question == question(meant, "PTR")
    assert asked(written.DnsSpec(name=name), TARGET).question == question(name, "SOA")
