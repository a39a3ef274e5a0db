"""One machine per host.

A second one would take the addresses of the first for what its own predecessor left, and remove
them.
"""

from collections.abc import Collection

from libra_runtime import claim
from libra_vrrp.shell.say import log


class Claim(claim.Claim):
    """Held from the first `take` that succeeds until the process ends."""

    def __init__(self, name: str | None = None, trusted: Collection[int] | None = None) -> None:
        super().__init__("libra-vrrp", _warn, name, trusted)


def _warn(event: str, /, **facts: object) -> None:
    log(event, "warning", **facts)
