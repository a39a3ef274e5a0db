"""Check `ldap`, from the config."""

from __future__ import annotations

from libra_health.asked import tls
from libra_health.checks.ldap import LdapSpec
from libra_health.protocols.ldap_message import search
from libra_health.wire import Target
from libra_schemas import config as written
from libra_schemas.filters import parse


def asked(spec: written.LdapSpec, target: Target) -> LdapSpec:
    """Translate; raises ValueError where the filter is none."""
    speaks_tls = spec.starttls or spec.tls is not None
    return LdapSpec(
        spec.bind_dn or "",
        spec.password_file or "",
        tls=tls.asked(spec.tls or written.TlsSpec(), target) if speaks_tls else None,
        starttls=spec.starttls,
        search=_search(spec),
        at_least=spec.at_least,
    )


def _search(spec: written.LdapSpec) -> bytes:
    """Write the search; the server may stop at as many entries as are asked for."""
    if spec.base is None:
        return b""
    return search(spec.base, spec.scope, parse(spec.filter), max(1, spec.at_least))
