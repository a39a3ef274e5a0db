"""What a webhook's receiver can check: who sent it, when, and whether it saw it before.

Rule: HMAC-SHA256 (RFC 2104) over `<timestamp>.<body>`, body being the exact bytes sent; a
receiver refuses what is too old, so a recorded request cannot be sent again later.
"""

import hmac
from hashlib import sha256

CONTENT_TYPE = "application/cloudevents+json"
"""CloudEvents HTTP binding 1.0, structured mode."""


def sign(secret: bytes, timestamp: int, body: bytes) -> str:
    """Sign *body* as sent at *timestamp* (Unix seconds): `sha256=<lowercase hex>`."""
    signed = str(timestamp).encode() + b"." + body
    return "sha256=" + hmac.new(secret, signed, sha256).hexdigest()


def headers(key: str, timestamp: int, body: bytes, secret: bytes | None) -> dict[str, str]:
    """Name the headers of a webhook; without a secret there is no signature."""
    found = {
        "Content-Type": CONTENT_TYPE,
        "Idempotency-Key": key,
        "Libra-Timestamp": str(timestamp),
    }
    if secret is not None:
        found["Libra-Signature"] = sign(secret, timestamp, body)
    return found
