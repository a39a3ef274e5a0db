"""Keeping secrets out of what receivers say: many repeat what they were sent.

Rule: whatever a receiver answers is told without the URL's telling parts, keys and passwords,
plain, in base64 (RFC 4648), as SMTP and HTTP carry them, or escaped for JSON, HTML or a URL.
"""

import html
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote, urlsplit

SHORTEST = 6
"""Characters of a URL's part from which on it can be a secret; `/hooks` stays legible."""

HIDDEN = "…"


def parts_of(url: str) -> Iterator[str]:
    """List what of *url* can be a secret: itself, its long parts, its credentials."""
    parts = urlsplit(url)
    yield url
    if parts.username is not None:
        user, password = unquote(parts.username), unquote(parts.password or "")
        yield from (password, f"{user}:{password}")  # RFC 7617: the latter in base64
        yield user if len(user) > SHORTEST else ""
    pieces = (*parts.path.split("/"), *parts.query.replace("=", "&").split("&"))
    for each in (f"{parts.path}?{parts.query}", parts.path, parts.query, *pieces):
        if len(each) > SHORTEST:
            yield from (each, unquote(each))


def hidden(words: str, secrets: Iterable[str]) -> str:
    """Put HIDDEN in the place of every one of *secrets* in *words*."""
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    for form in sorted(forms, key=lambda each: (-len(each), each)):
        words = words.replace(form, HIDDEN)
    return words


def _forms(secret: str) -> Iterator[str]:
    escaped = json.dumps(secret)[1:-1]
    yield from (secret, escaped, escaped.replace("/", r"\/"), html.escape(secret))
    yield from (quote(secret, safe=""), b64encode(secret.encode()).decode())
