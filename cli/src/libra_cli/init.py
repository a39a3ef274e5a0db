"""`libra init`: a node's directories, keys, server configuration and streams; idempotent."""

from libra_cli import identity
from libra_cli.exits import MISSING, CommandError
from libra_cli.log import connect
from libra_cli.prepare import prepare
from libra_cli.site import Site
from libra_runtime.nats_server import answers
from libra_runtime.session import ApiError
from libra_runtime.streams import init_streams


async def init(site: Site) -> bool:
    """Make what is missing; tell whether the streams could be made too (nats-server runs)."""
    prepare(site, identity.chosen)
    if not answers(*site.endpoint):
        return False
    async with connect(site) as session:
        try:
            await init_streams(session, site.node, site.limits)
        except ApiError as error:
            raise CommandError(f"nats-server refuses the streams: {error}", MISSING) from None
    return True
