"""Check `grpc`: ask a server how it is by gRPC's health protocol."""

from libra_schemas.config.kinds.fields import Host, ServiceName
from libra_schemas.config.kinds.tls import TlsBlock
from libra_schemas.model import Strict


class GrpcSpec(Strict):
    """One call of `grpc.health.v1.Health/Check`; passes when the answer is SERVING."""

    service: ServiceName = ""
    """Whom to ask about, as the server names it (`mail.Mailbox`); without it the whole server."""
    authority: Host | None = None
    """The `:authority` of the call; without it the address probed, and its port."""
    tls: TlsBlock = None
    """How TLS is spoken, with HTTP/2 by ALPN; without it HTTP/2 is spoken in the clear from the
    first byte on.
    """
