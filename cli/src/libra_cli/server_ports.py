"""Who has nats-server's ports: a NATS server, something else, or nobody yet."""

import http.client
import json
import socket
from dataclasses import dataclass

from libra_cli.site import Site
from libra_runtime.healthcheck import find

_TIMEOUT = 2.0
"""Seconds that a NATS server may take to greet."""


@dataclass(frozen=True, slots=True)
class Squatter:
    """Who may have a port of the node's nats-server; *sure* that it is not that itself, hung."""

    sentence: str
    sure: bool


def squatter(site: Site, monitor: int) -> Squatter | None:
    """Say who keeps the node's nats-server from starting; None where nobody seems to.

    *monitor* is the port of its own monitoring, 0 for none.
    """
    return _on_its_port(site) or (_on_its_monitoring(site, monitor) if monitor else None)


def _on_its_port(site: Site) -> Squatter | None:
    host, port = site.endpoint
    try:
        if _greets(host, port) is not False:
            return None
    except TimeoutError:
        return _silent(host, port)
    what = "something that is no nats-server"
    return Squatter(f"{host}:{port} is taken by {what}: stop it ({find(port)})", sure=True)


def _on_its_monitoring(site: Site, port: int) -> Squatter | None:
    host, _ = site.endpoint
    try:
        name = _monitored(host, port)
    except TimeoutError:
        return _silent(host, port)
    if name in (None, site.node):
        return None
    what = f"nats-server {name!r}" if name else "something that is no nats-server"
    why = (
        f"{host}:{port} for nats-server's monitoring is taken by {what}, so node {site.node}'s "
        f"does not start: stop it ({find(port)})"
    )
    return Squatter(why, sure=True)


def _silent(host: str, port: int) -> Squatter:
    why = "a hung nats-server, or another program"
    sentence = f"something listens on {host}:{port} but says nothing: {why} ({find(port)})"
    return Squatter(sentence, sure=False)


def _greets(host: str, port: int) -> bool | None:
    """Tell whether a NATS server greets there; None where nobody listens.

    A web server speaks when it is asked: whoever is silent is asked in HTTP. Raise TimeoutError
    where somebody says nothing even then: who that is cannot be told.
    """
    try:
        connection = socket.create_connection((host, port), _TIMEOUT)
    except OSError:
        return None
    with connection:
        try:
            try:
                return connection.recv(4) == b"INFO"
            except TimeoutError:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return connection.recv(4) == b"INFO"
        except ConnectionError:
            return False


def _monitored(host: str, port: int) -> str | None:
    """Name the NATS server whose monitoring is there; "" where it is none, None for nobody.

    Raise TimeoutError where somebody says nothing: who that is cannot be told.
    """
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        connection.connect()
    except OSError:
        return None
    try:
        connection.request("GET", "/varz")
        return str(json.loads(connection.getresponse().read())["server_name"])
    except (http.client.HTTPException, ValueError, LookupError, TypeError, ConnectionError):
        return ""
    finally:
        connection.close()
