"""Mails, to a real SMTP server."""

import datetime as dt
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from libra_notifier.retry import Delivered, Failed
from libra_notifier.shell.names import Names
from libra_notifier.shell.sinks.email import deliver
from libra_schemas.config.notify import EmailSink


def sink(postbox: Any, **more: Any) -> EmailSink:
    plain = {
        "to": ["ops@example.org", "boss@example.org"],
        "from": "libra@example.org",
        "server": "localhost",
        "port": postbox.port,
    }
    return EmailSink.model_validate({**plain, **more})


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Give a server context for `localhost` that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_a_mail_reaches_everybody_in_one_message(postbox: Any, make: Any) -> None:
    assert isinstance(await deliver(sink(postbox), make.notice(), Names()), Delivered)
    (mail,) = postbox.mails
    assert mail.sender == "libra@example.org"
    assert mail.recipients == ["ops@example.org", "boss@example.org"]
    subject = "[a] backend w1 of web is down: connection refused (3 of 3)"
    assert mail.message["Subject"] == subject
    assert mail.message["Message-ID"] == "<ops-id-1@example.org>"
    assert "event    backend.down web/w1" in mail.message.get_content()


async def test_a_refused_recipient_is_named_and_only_it_is_tried_again(
    postbox: Any, make: Any
) -> None:
    postbox.refused = {"boss@example.org"}
    failed = await deliver(sink(postbox), make.notice(), Names())
    assert failed == Failed(
        "boss@example.org refused: no such user", served=frozenset({"ops@example.org"})
    )
    postbox.refused = set()
    again = make.notice()
    again = type(again)(
        again.sink, again.event, again.subject, again.raw, again.sequence, 2, failed.served
    )
    assert isinstance(await deliver(sink(postbox), again, Names()), Delivered)
    assert [mail.recipients for mail in postbox.mails] == [
        ["ops@example.org"],
        ["boss@example.org"],
    ]


async def test_all_recipients_refused_is_a_failure(postbox: Any, make: Any) -> None:
    postbox.refused = {"ops@example.org", "boss@example.org"}
    failed = await deliver(sink(postbox), make.notice(), Names())
    assert isinstance(failed, Failed)
    assert "ops@example.org refused: no such user" in failed.detail


async def test_nobody_listening_is_a_failure(postbox: Any, make: Any) -> None:
    failed = await deliver(sink(postbox, server="127.0.0.1", port=9), make.notice(), Names())
    assert isinstance(failed, Failed)
    assert "127.0.0.1" in failed.detail


async def test_a_password_is_read_from_its_file_and_sent_after_starttls(
    make_postbox: Any, certified: ssl.SSLContext, make: Any, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("letmein\n")
    async with make_postbox(tls_context=certified, auth_required=True) as postbox:
        how = {"security": "starttls", "user": "libra", "password_file": str(tmp_path / "password")}
        assert isinstance(await deliver(sink(postbox, **how), make.notice(), Names()), Delivered)
    assert postbox.logins == [(b"libra", b"letmein")]
    assert len(postbox.mails) == 1


async def test_a_wrong_password_is_a_failure_that_does_not_repeat_it(
    make_postbox: Any, certified: ssl.SSLContext, make: Any, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("guess")
    async with make_postbox(tls_context=certified, auth_required=True) as postbox:
        how = {"security": "starttls", "user": "libra", "password_file": str(tmp_path / "password")}
        failed = await deliver(sink(postbox, **how), make.notice(), Names())
    assert isinstance(failed, Failed)
    assert "535" in failed.detail or "invalid" in failed.detail.lower()
    assert "guess" not in failed.detail
    assert postbox.mails == []


async def test_tls_from_the_first_byte(
    make_postbox: Any, certified: ssl.SSLContext, make: Any
) -> None:
    async with make_postbox(certified) as postbox:
        assert isinstance(
            await deliver(sink(postbox, security="tls"), make.notice(), Names()), Delivered
        )
    assert len(postbox.mails) == 1


async def test_a_server_that_nobody_vouches_for_gets_no_mail(
    make_postbox: Any, certified: ssl.SSLContext, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    async with make_postbox(certified) as postbox:
        failed = await deliver(sink(postbox, security="tls"), make.notice(), Names())
    assert isinstance(failed, Failed)
    assert "certificate" in failed.detail.lower()
    assert postbox.mails == []


async def test_starttls_where_the_server_has_none_sends_nothing(postbox: Any, make: Any) -> None:
    failed = await deliver(sink(postbox, security="starttls"), make.notice(), Names())
    assert isinstance(failed, Failed)
    assert postbox.mails == []


async def test_a_missing_password_file_is_a_failure_that_names_it(postbox: Any, make: Any) -> None:
    how = {"user": "libra", "password_file": "/nowhere/password"}
    failed = await deliver(sink(postbox, **how), make.notice(), Names())
    assert failed == Failed("password_file /nowhere/password: No such file or directory")
