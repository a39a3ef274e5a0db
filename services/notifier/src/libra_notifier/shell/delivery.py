"""One attempt of whatever kind the sink is, with its bound in time."""

import asyncio

from libra_notifier.notice import Notice
from libra_notifier.retry import Failed, Outcome
from libra_notifier.shell.names import Names
from libra_schemas.config.notify import EmailSink, ProgramSink, SinkConfig, WebhookSink


async def deliver(sink: SinkConfig, notice: Notice, names: Names) -> Outcome:
    """Try once; a receiver that has not answered when the sink's timeout ends has failed."""
    kind = sink.webhook or sink.email or sink.program
    if kind is None:
        raise ValueError("a sink without a kind")
    try:
        async with asyncio.timeout(kind.timeout):
            return await _deliver(kind, notice, names)
    except TimeoutError:
        return Failed(f"no answer within {kind.timeout:g} s")


async def _deliver(
    kind: WebhookSink | EmailSink | ProgramSink, notice: Notice, names: Names
) -> Outcome:
    """Import a sink's library only where such a sink exists: aiohttp alone takes half a second."""
    match kind:
        case WebhookSink():
            from libra_notifier.shell.sinks import webhook  # noqa: PLC0415 - see above

            return await webhook.deliver(kind, notice, names)
        case EmailSink():
            from libra_notifier.shell.sinks import email  # noqa: PLC0415 - see above

            return await email.deliver(kind, notice, names)
        case ProgramSink():
            from libra_notifier.shell.sinks import program  # noqa: PLC0415 - see above

            return await program.deliver(kind, notice)
