from libra_health.asked.smtp import asked
from libra_health.checks.smtp import SmtpSpec
from libra_health.handshake import TlsSpec
from libra_health.wire import Target, Tls
from libra_schemas import config as written

TARGET = Target("192.0.2.1", 25)


def test_nothing_written_greets() -> None:
    assert asked(written.SmtpSpec(), TARGET) == SmtpSpec()


def test_every_option_is_taken_over() -> None:
    spec = written.SmtpSpec.model_validate(
        {
            "helo": "probe", "starttls": True, "tls": {"name": "mx", "expires_within": "1h"},
            "user": "ada", "password_file": "/p",
        }
    )  # fmt: skip
    assert asked(spec, TARGET) == SmtpSpec(
        "probe",
        TlsSpec(Tls("mx"), 3600.0),
        starttls=True,
        user="ada",
        password="/p",  # noqa: S106
    )


def test_tls_is_spoken_where_it_or_starttls_is_asked_for() -> None:
    usual = TlsSpec(Tls("192.0.2.1"))
    for written_so in ({"tls": True}, {"starttls": True}):
        assert asked(written.SmtpSpec.model_validate(written_so), TARGET).tls == usual
