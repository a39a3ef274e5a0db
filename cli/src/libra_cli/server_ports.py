"""Who has nats-server's ports: a NATS server, something else, or nobody yet."""

import http.client
import json
import socket

from libra_cli.site import Site
from libra_runtime.healthcheck import find

_TIMEOUT = 2.0
"""Seconds that a NATS server may take to greet."""


def squatter(site: Site, monitor: int) -> str | None:
    """Say who keeps the node's nats-server from starting; None where nobody seems to.

    *monitor* is the port of its own monitoring, 0 for none.
    """
    host, port = site.endpoint
    if _greets(host, port) is False:
        return f"{host}:{port} is taken by something that is no nats-server: stop it ({find(port)})"
    name = _monitored(host, monitor) if monitor else None
    if name in (None, site.node):
        return None
    what = f"nats-server {name!r}" if name else "something that is no nats-server"
    return (
        f"{host}:{monitor} for nats-server's monitoring is taken by {what}, so node {site.node}'s "
        f"does not start: stop it ({find(monitor)})"
    )


def _greets(host: str, port: int) -> bool | None:
    """Tell whether a NATS server greets there; None where nobody listens."""
    try:
        with socket.create_connection((host, port), _TIMEOUT) as connection:
            return connection.recv(4) == b"INFO"
    except ConnectionRefusedError:
        return None
    except OSError:
        return False


def _monitored(host: str, port: int) -> str | None:
    """Name the NATS server whose monitoring is there; "" where it is none, None for nobody."""
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/varz")
        return str(json.loads(connection.getresponse().read())["server_name"])
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return ""
    finally:
        connection.close()
