"""E-mail: one mail per event over SMTP, plain, STARTTLS or TLS."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from aiosmtplib import SMTP, SMTPException, SMTPRecipientsRefused

from libra_notifier.hiding import hidden
from libra_notifier.mail import compose, helo
from libra_notifier.notice import Notice
from libra_notifier.retry import Delivered, Failed, Outcome
from libra_notifier.shell.names import Names
from libra_notifier.shell.secret import UnreadableSecret, read_secret
from libra_runtime import stamp
from libra_schemas.config.notify import EmailSink
from libra_schemas.text import one_line

_GOODBYE = 1.0
"""Seconds for an orderly QUIT; the mail is accepted by then."""


async def deliver(sink: EmailSink, notice: Notice, names: Names) -> Outcome:
    """Try once, for the recipients that no earlier attempt reached."""
    try:
        password = read_secret("password_file", sink.password_file) if sink.password_file else ""
    except UnreadableSecret as error:
        return Failed(str(error))
    client = SMTP(
        hostname=sink.server,
        use_tls=sink.security == "tls",
        start_tls=sink.security == "starttls",
        local_hostname=helo(notice.subject.node, sink),
        timeout=sink.timeout,
    )
    try:
        outcome = await _send(client, sink, notice, names, password)
    except SMTPRecipientsRefused as error:
        outcome = Failed(_refusals({each.recipient: each.message for each in error.recipients}))
    except (SMTPException, OSError, ValueError) as error:
        outcome = Failed(_said(error))
    finally:
        client.close()
    secrets = (password, f"\0{sink.user}\0{password}") if password else ()
    return replace(outcome, detail=one_line(hidden(outcome.detail, secrets)))


async def _send(
    client: SMTP, sink: EmailSink, notice: Notice, names: Names, password: str
) -> Outcome:
    recipients = [each for each in sink.to if each not in notice.served]
    mail = compose(notice, sink, stamp.now())
    await client.connect(sock=await names.connected(sink.server, sink.port))
    if sink.user is not None:
        await client.login(sink.user, password)
    refused, said = await client.send_message(mail, sender=sink.sender, recipients=recipients)
    with suppress(SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(_GOODBYE):
            await client.quit()
    if not refused:
        return Delivered(said)
    detail = _refusals({address: answer.message for address, answer in refused.items()})
    return Failed(detail, served=frozenset(recipients) - frozenset(refused))


def _said(error: Exception) -> str:
    """Say what went wrong and, where the library hides it, why (a certificate, for one)."""
    cause = f" {error.__cause__}" if error.__cause__ else ""
    return f"{error}{cause}" or type(error).__name__


def _refusals(refused: dict[str, str]) -> str:
    return "; ".join(f"{address} refused: {said}" for address, said in refused.items())
