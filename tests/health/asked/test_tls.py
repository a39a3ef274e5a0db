from libra_health.asked.tls import asked
from libra_health.handshake import TlsSpec
from libra_health.wire import Target, Tls
from libra_schemas import config as written

TARGET = Target("192.0.2.1", 993)


def test_a_tls_check_says_all_that_was_written() -> None:
    spec = written.TlsSpec(
        name="mail.example.net",
        ca_file="/ca",
        certificate_file="/cert",
        key_file="/key",
        expires_within="14d",
        alpn=("imap",),
    )
    tls = Tls("mail.example.net", ca="/ca", certificate="/cert", key="/key", alpn=("imap",))
    assert asked(spec, TARGET) == TlsSpec(tls, 14 * 86400.0)


def test_without_a_name_the_address_is_asked_for() -> None:
    assert asked(written.TlsSpec(verify=False), TARGET) == TlsSpec(Tls("192.0.2.1", verify=False))
    assert asked(written.TlsSpec(), TARGET, "a.example").tls.name == "a.example"
