"""Check `ldap`: bind to a directory and, where asked, search in it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt

from libra_schemas.config.kinds.fields import FilePath
from libra_schemas.config.kinds.tls import TlsBlock
from libra_schemas.filters import parse
from libra_schemas.model import Strict


def _parses(value: str) -> str:
    parse(value)
    return value


class LdapSpec(Strict):
    """Bind, where asked search, unbind (LDAP version 3)."""

    bind_dn: Annotated[str, Field(min_length=1)] | None = None
    """Whom to bind as, together with `password_file`; without them the bind is anonymous."""
    password_file: FilePath | None = None
    """File that holds the password, less a newline at its end; it is read anew at every probe."""
    in_clear: StrictBool = False
    """Whether the password may be sent without TLS, to whoever listens on the way."""
    starttls: StrictBool = False
    """Whether TLS is begun by the StartTLS operation."""
    tls: TlsBlock = None
    """How TLS is spoken; without `starttls` it is spoken from the first byte on (ldaps)."""
    base: str | None = None
    """Where a search starts, "" for the root DSE; without it nothing is searched for."""
    scope: Literal["base", "one", "sub"] = "sub"
    """How far the search goes: the base itself, what is right below it, or all of it."""
    filter: Annotated[str, AfterValidator(_parses), Field(examples=["(uid=probe)"])] = (
        "(objectClass=*)"
    )
    """What is searched for (RFC 4515); extensible matches are not understood."""
    at_least: Annotated[StrictInt, Field(ge=0, le=1000)] = 1
    """How many entries must be found."""
