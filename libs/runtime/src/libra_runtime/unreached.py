"""Why a NATS server was not reached or is not ours, in words that say what to do."""

import os
import re
from errno import ECONNREFUSED
from socket import gaierror
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from libra_runtime.client import nats_module
from libra_runtime.healthcheck import find
from libra_runtime.journal import JournalUnavailable, NotOurs, Unreached
from libra_runtime.settings import Edge

if TYPE_CHECKING:
    from nats.aio.client import Client

_PORT = 4222
"""Where a URL that names no port leads."""

_ERRNO: Final = re.compile(r"\[Errno ([0-9]+)\]")
"""One errno(3), of each address of a host where asyncio tried several."""


def unreached(client: "Client", edge: Edge, raised: Exception) -> JournalUnavailable:
    """Say what a connection failed of."""
    last = client.last_error
    is_known = last is not None and not isinstance(last, nats_module().errors.NoServersError)
    why = last if last is not None and is_known else raised
    if "authorization" in str(why).lower():
        return not_ours(client, edge)
    if isinstance(why, JournalUnavailable):
        return JournalUnavailable(f"{edge.nats}: {why}")
    return Unreached(f"{edge.nats}: {_told(why)}")


def _told(why: Exception) -> str:
    """Say it ourselves where nats-py has no words (silence), or strange ones."""
    if isinstance(why, TimeoutError):
        return "nats-server does not answer"
    if isinstance(why, gaierror) and why.strerror:
        return why.strerror
    if isinstance(why, OSError) and (numbers := _ERRNO.findall(str(why))):
        return ", ".join(dict.fromkeys(_failure(int(each)) for each in numbers))
    return str(why) or type(why).__name__


def _failure(number: int) -> str:
    return "no nats-server listens there" if number == ECONNREFUSED else os.strerror(number)


def server_name(client: "Client", edge: Edge) -> str:
    """Name the server that greeted; one that runs on our generated configuration is the node's."""
    return str(client._server_info.get("server_name", edge.node))  # noqa: SLF001 - not shown else


def knows_us(client: "Client", edge: Edge) -> bool:
    """Tell whether a server that greeted is set up for this node: by its name, or by our key."""
    asks = bool(client._server_info.get("auth_required"))  # noqa: SLF001 - not shown else
    took_key = asks and edge.seed_file is not None and client.is_connected
    return took_key or server_name(client, edge) == edge.node


def require_ours(client: "Client", edge: Edge, *, is_told: bool) -> None:
    """Raise JournalUnavailable where the server did not tell us its settings, as ours does."""
    if not is_told:
        raise JournalUnavailable(
            f"the NATS server {server_name(client, edge)!r} does not run on the configuration that "
            f"`libra init` writes: stop it ({_way(edge)}), or start it with that"
        )


def _way(edge: Edge) -> str:
    return find(urlsplit(edge.nats).port or _PORT)


def not_ours(client: "Client", edge: Edge) -> NotOurs:
    """Say that the server knows no key of this node, and what that comes from."""
    name, way = server_name(client, edge), _way(edge)
    if name != edge.node:
        return NotOurs(
            f"{edge.nats} is the NATS server {name!r}, not node {edge.node}'s: stop it ({way})"
        )
    return NotOurs(
        f"the NATS server of {edge.nats} refuses the key of node {edge.node}: stop it where it is "
        f"another director's ({way}); where keys were made anew restart it, then whom it refuses"
    )
