"""Why a NATS server was not reached or is not ours, in words that say what to do."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from libra_runtime.client import nats_module
from libra_runtime.healthcheck import find
from libra_runtime.journal import JournalUnavailable, NotOurs
from libra_runtime.settings import Edge

if TYPE_CHECKING:
    from nats.aio.client import Client

_PORT = 4222
"""Where a URL that names no port leads."""


def unreached(client: "Client", edge: Edge, why: Exception) -> JournalUnavailable:
    """Say what a connection failed of."""
    if "authorization" in str(why).lower():
        return not_ours(client, edge)
    return JournalUnavailable(f"{edge.nats}: {_told(why)}")


def _told(why: Exception) -> str:
    """Say it ourselves where nats-py has no words (silence), or strange ones."""
    errors = nats_module().errors
    if isinstance(why, errors.NoServersError | ConnectionRefusedError):
        return "no nats-server listens there"
    if isinstance(why, errors.TimeoutError | TimeoutError):
        return "nats-server does not answer"
    return str(why) or type(why).__name__


def server_name(client: "Client", edge: Edge) -> str:
    """Name the server that greeted; one that runs on our generated configuration is the node's."""
    return str(client._server_info.get("server_name", edge.node))  # noqa: SLF001 - not shown else


def not_ours(client: "Client", edge: Edge) -> NotOurs:
    """Say that the server knows no key of this node, and what that comes from."""
    name, way = server_name(client, edge), find(urlsplit(edge.nats).port or _PORT)
    if name != edge.node:
        return NotOurs(
            f"{edge.nats} is the NATS server {name!r}, not node {edge.node}'s: stop it ({way})"
        )
    return NotOurs(
        f"the NATS server of {edge.nats} refuses the key of node {edge.node}: stop it where it is "
        f"another director's ({way}); where keys were made anew restart it, then whom it refuses"
    )
