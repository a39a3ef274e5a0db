"""Asking the console over its unix socket."""

import http.client
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from libra_cli.exits import REFUSED, UNREACHABLE, CommandError
from libra_cli.site import Site
from libra_runtime.claim import is_named

TIMEOUT = 30.0
"""Seconds; longer than the console waits for an acknowledgement."""

_LOOK = 0.2
"""Seconds between two looks for the console."""

_UNAVAILABLE = 503


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(site: Site, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    """Send one request; return status and JSON body; raise CommandError where nobody answers.

    A console that is not there yet is waited for as many seconds as LIBRA_WAIT says.
    """
    deadline = time.monotonic() + _patience()
    while True:
        try:
            return _ask(site, method, path, body)
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() >= deadline:
                raise CommandError(_nobody(site), UNREACHABLE) from None
            time.sleep(_LOOK)


def _nobody(site: Site) -> str:
    """Say what to do where no console is; what works alone needs none, and no second one."""
    where = f"no console answers on {site.socket}"
    if is_named("libra-vrrp"):
        return (
            f"{where}, and a libra-vrrp works on this host: do not start another. One that was "
            "started alone (`libra-vrrp --config`) has neither console nor log: its output "
            '(`journalctl -u libra-vrrp`, "event": "decided"), `ip addr` and '
            "`curl -s 127.0.0.1:9642/metrics | grep libra_vrrp_state` say who is master and why, "
            "its signals are in services/vrrp/README.md"
        )
    return (
        f"{where}: start node {site.node} (`libra up`, `docker compose up -d`), or name another "
        "with --node or --run"
    )


def _patience() -> float:
    given = os.environ.get("LIBRA_WAIT", "0")
    if not given.isdecimal():
        raise CommandError(f"LIBRA_WAIT: expected whole seconds, not {given!r}")
    return float(given)


def _ask(site: Site, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
    connection = _UnixConnection(site.socket, TIMEOUT)
    try:
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        connection.request(method, path, raw, {"content-type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (FileNotFoundError, ConnectionRefusedError):
        raise
    except PermissionError:
        raise CommandError(
            f"{site.socket} may not be opened by this user: run as root", UNREACHABLE
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CommandError(f"the console broke off: {error}; try again", UNREACHABLE) from None
    finally:
        connection.close()


def require(answer: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    """Give the body of a good answer; raise CommandError with the console's sentence otherwise."""
    status, body = answer
    if status < http.client.BAD_REQUEST:
        return body
    sentence = str(body.get("error", f"the console answered {status}"))
    raise CommandError(sentence, UNREACHABLE if status >= _UNAVAILABLE else REFUSED)
