"""Keeping secrets out of what receivers say: many repeat what they were sent.

Rule: whatever a receiver answers is told without the URL's telling parts, keys and passwords,
plain or in base64 (RFC 4648), as SMTP and HTTP carry them.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

SHORTEST = 6
"""Characters of a URL's part from which on it can be a secret; `/hooks` stays legible."""

HIDDEN = "…"


def parts_of(url: str) -> Iterator[str]:
    """List what of *url* can be a secret: itself, its path, query, long parts and credentials."""
    parts = urlsplit(url)
    yield from (url, f"{parts.path}?{parts.query}", parts.query, parts.password or "")
    for each in (parts.path, *parts.path.split("/"), *parts.query.replace("=", "&").split("&")):
        if len(each) > SHORTEST:
            yield from (each, unquote(each))


def hidden(words: str, secrets: Iterable[str]) -> str:
    """Put HIDDEN in the place of every one of *secrets* in *words*."""
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    for form in sorted(forms, key=lambda each: (-len(each), each)):
        words = words.replace(form, HIDDEN)
    return words


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield b64encode(secret.encode()).decode()
