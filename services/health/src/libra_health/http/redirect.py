"""Redirects (RFC 9110 section 15.4), as a check follows them.

The one rule: a check never leaves the backend it is about; only path and host are taken over.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from libra_health.http.request import Request

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SEE_OTHER: Final = 303
_KEEPING: Final = frozenset({307, 308})
"""After these the method stays whatever it was."""
_PORTS: Final = {"http": 80, "https": 443}


class Unfollowable(Exception):
    """The redirect points to where this check does not go."""


def followed(request: Request, status: int, location: bytes, *, scheme: str, port: int) -> Request:
    """Make the request that a redirect asks for; `port` is the one probed. Raises Unfollowable."""
    try:
        here = f"{scheme}://{request.host}{request.path}"
        there = urlsplit(urljoin(here, location.decode("ascii")))
        _require_same_server(urlsplit(here), there, port)
        query = f"?{there.query}" if there.query else ""
        path = f"{there.path or '/'}{query}"
        asked = replace(request, host=there.netloc, path=path)
    except ValueError:
        raise Unfollowable("which is no URL") from None
    is_kept = status in _KEEPING or asked.method in {"GET", "HEAD"}
    is_kept = is_kept or (status != _SEE_OTHER and asked.method != "POST")
    return asked if is_kept else replace(asked, method="GET", body=None)


def _require_same_server(here: SplitResult, there: SplitResult, port: int) -> None:
    """Refuse another scheme and another port than what was asked or is probed."""
    if there.scheme != here.scheme:
        raise Unfollowable("another scheme")
    if "@" in there.netloc or not there.hostname:
        raise Unfollowable("which is no URL of a web server")
    usual = _PORTS[here.scheme]
    if (there.port or usual) not in {here.port or usual, port}:
        raise Unfollowable("another port")
