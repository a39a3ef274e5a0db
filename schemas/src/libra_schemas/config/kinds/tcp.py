"""Check `tcp`: connect and, where asked, hold a dialogue."""

from typing import Annotated, Literal

from pydantic import Field

from libra_schemas.config.kinds.fields import Expected, Hex, Said
from libra_schemas.model import Strict

Preset = Literal["smtp", "imap", "pop3", "ftp", "ldap", "redis", "mysql", "postgresql"]


class ExchangeSpec(Strict):
    """One step of a dialogue: what is sent, then what must come."""

    send: Said | None = None
    """Text sent as this step begins."""
    send_hex: Hex | None = None
    """Bytes sent, in hex, in place of `send`."""
    expect: Expected | None = None
    """Regular expression to match somewhere in what follows the match of the step before, where
    `^` stands, within 50 ms; without it the last step takes any answer, and an earlier one waits
    for none.
    """
    expect_hex: Hex | None = None
    """Bytes that must come, in hex, in place of `expect`."""


class TcpSpec(Strict):
    """Connect; then, where given, hold a dialogue of 64 KiB of answers at most."""

    send: Said | None = None
    """Text sent once connected; without `expect` any answer passes."""
    send_hex: Hex | None = None
    """Bytes sent, in hex, in place of `send`."""
    expect: Expected | None = None
    """Regular expression that the answer must match somewhere; without it and `send` the
    connection alone passes.
    """
    expect_hex: Hex | None = None
    """Bytes that the answer must hold, in hex, in place of `expect`."""
    exchanges: Annotated[tuple[ExchangeSpec, ...], Field(min_length=1, max_length=32)] | None = None
    """Steps of a dialogue, in order, in place of `send` and `expect`; where the server speaks
    first `[{expect: "^220 .*\\n"}, {send: "QUIT\\r\\n", expect: "^221 "}]`.
    """
    preset: Preset | None = None
    """A dialogue made ready, in place of all above; `ldap` binds anonymously, `redis` is sent PING,
    `mysql` a login as `libra`, `postgresql` an SSLRequest. One that asks for a password passes.
    """
