"""Check `smtp`: greet a mail server and take leave."""

from pydantic import StrictBool

from libra_schemas.config.kinds.fields import FilePath, FilledLine, Host
from libra_schemas.config.kinds.tls import TlsBlock
from libra_schemas.model import Strict


class SmtpSpec(Strict):
    """Banner, EHLO, where asked STARTTLS and a login, QUIT; no mail is begun."""

    helo: Host = "localhost"
    """The name that EHLO says."""
    starttls: StrictBool = False
    """Whether TLS is begun by STARTTLS; a server that does not offer it fails."""
    tls: TlsBlock = None
    """How TLS is spoken; without `starttls` it is spoken from the first byte on (port 465)."""
    user: FilledLine | None = None
    """Whom to log in as (AUTH PLAIN, or LOGIN where only that is offered), together with
    `password_file`; without them nobody logs in.
    """
    password_file: FilePath | None = None
    """File that holds the password, less a newline at its end; it is read anew at every probe."""
    in_clear: StrictBool = False
    """Whether the password may be sent without TLS, to whoever listens on the way."""
