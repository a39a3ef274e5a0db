"""Checks that log in: credentials that are whole and hidden on the way, searches that start."""

from collections.abc import Iterator

from libra_schemas.config import Config, LdapSpec, SmtpSpec
from libra_schemas.places import STRANGER, Finding, Path
from libra_schemas.rules.checks import written


def _dialogues(config: Config) -> Iterator[tuple[Path, SmtpSpec | LdapSpec, str]]:
    """Give the checks that may log in, where they stand, and the key that says as whom."""
    for path, check in written(config):
        if check.smtp is not None:
            yield (*path, "smtp"), check.smtp, "user"
        if check.ldap is not None:
            yield (*path, "ldap"), check.ldap, "bind_dn"


def credentials(config: Config) -> Iterator[Finding]:
    """Check that who logs in has a name and a password, or neither."""
    for path, spec, key in _dialogues(config):
        name = getattr(spec, key)
        if (name is None) == (spec.password_file is None):
            continue
        keys = (key, "password_file")
        missing, given = keys if name is None else keys[::-1]
        message, read = f"is missing beside {given}", ((*path, given), (*path, STRANGER))
        yield Finding((*path, missing), message, on_key=True, read=read)


def in_clear(config: Config) -> Iterator[Finding]:
    """Check that no password leaves this node without TLS unless somebody said so."""
    for path, spec, _ in _dialogues(config):
        if spec.password_file is None or spec.tls is not None or spec.starttls or spec.in_clear:
            continue
        read = tuple((*path, key) for key in ("tls", "starttls", "in_clear", STRANGER))
        message = "would be sent without TLS"
        hint = "add starttls: true or tls: true, or in_clear: true if nobody can listen"
        yield Finding((*path, "password_file"), message, hint, on_key=True, read=read)


def searches(config: Config) -> Iterator[Finding]:
    """Check that there is a base where something is searched for."""
    for path, check in written(config):
        if check.ldap is None or check.ldap.base is not None:
            continue
        for key in ("scope", "filter", "at_least"):
            if key in check.ldap.model_fields_set:
                place = (*path, "ldap", key)
                read = ((*path, "ldap", "base"), (*path, "ldap", STRANGER))
                message, hint = "is missing its base", 'add base: "dc=example,dc=net"'
                yield Finding(place, message, hint, on_key=True, read=read)
