"""Check `tls`, and how `https` speaks it."""

from typing import Annotated

from pydantic import BeforeValidator, Field, StrictBool

from libra_schemas.config.fields import Duration
from libra_schemas.config.kinds.fields import FilePath, Protocol, ServerName
from libra_schemas.model import Strict


class TlsSpec(Strict):
    """A TLS handshake; passes when it comes about and the certificate is valid.

    With TLS 1.3 a server refuses a client's certificate only when it is asked something: `https`
    sees that, `tls` does not.
    """

    name: ServerName | None = None
    """Whom to ask for (SNI), and whose certificate it must be; without it the check's `host` or
    `authority`, else the address probed.
    """
    verify: StrictBool = True
    """Whether the certificate must be valid: signed by one that is trusted, not expired, of the
    right name.
    """
    ca_file: FilePath | None = None
    """File with the certificates (PEM) that are trusted; without it those that the system trusts.
    """
    certificate_file: FilePath | None = None
    """File with our own certificate (PEM) and those between it and its CA, for servers that ask
    for one.
    """
    key_file: FilePath | None = None
    """File with the key (PEM) of our certificate, where it is not in `certificate_file`."""
    expires_within: Duration | None = None
    """Fail, for the reason `expiry`, where the certificate is good for less than this (`2d`):
    backends with one certificate fail together, so leave time to renew it and think of `max_down`.
    """
    alpn: Annotated[tuple[Protocol, ...], Field(max_length=16)] = ()
    """Protocols (ALPN) that the server must choose one of."""


def _switched(value: object) -> object:
    return {} if value is True else None if value is False else value


TlsBlock = Annotated[
    TlsSpec | None,
    BeforeValidator(_switched, json_schema_input_type=TlsSpec | bool | None),
]
"""How another protocol speaks TLS, or `true` for the usual way."""
