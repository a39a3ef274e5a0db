"""Check `tcp`: connect and, where asked, hold a short dialogue."""

from libra_schemas.config.kinds.fields import Regex
from libra_schemas.model import Strict


class TcpSpec(Strict):
    """Connect; then, where given, send and read until the answer is as expected."""

    send: str | None = None
    """Text sent once connected; without `expect` any answer passes."""
    expect: Regex | None = None
    """Regular expression that the first 64 KiB of the answer must match somewhere; without it
    and `send` the connection alone passes.
    """
