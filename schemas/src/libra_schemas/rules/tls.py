"""Checks over TLS: nothing is asked of a certificate that nobody verifies, no key lacks its own."""

from collections.abc import Iterator

from libra_schemas.config import Config, TlsSpec
from libra_schemas.places import Finding, Path
from libra_schemas.rules.checks import written

_OF_CERTIFICATE = ("ca_file", "expires_within")
_SPOKEN = {"https": ("http/1.0", "http/1.1"), "grpc": ("h2",)}


def spoken(config: Config) -> Iterator[tuple[Path, TlsSpec]]:
    """Give how every check of *config* speaks TLS, where that stands."""
    for path, check in written(config):
        if check.tls is not None:
            yield (*path, "tls"), check.tls
        for kind in ("https", "smtp", "ldap", "grpc"):
            spec = getattr(check, kind)
            if spec is not None and spec.tls is not None:
                yield (*path, kind, "tls"), spec.tls


def unverified(config: Config) -> Iterator[Finding]:
    """Check that what is wanted of a certificate is looked at."""
    for path, spec in spoken(config):
        for key in _OF_CERTIFICATE if not spec.verify else ():
            if getattr(spec, key) is not None:
                read = ((*path, "verify"),)
                message = "with verify: false nobody looks at the certificate"
                yield Finding((*path, key), message, "leave one of them out", read=read)


def keys(config: Config) -> Iterator[Finding]:
    """Check that a key has its certificate."""
    for path, spec in spoken(config):
        if spec.key_file is not None and spec.certificate_file is None:
            read = ((*path, "certificate_file"),)
            message = "a key is nothing without its certificate"
            yield Finding((*path, "key_file"), message, "name certificate_file too", read=read)


def protocols(config: Config) -> Iterator[Finding]:
    """Check that `https` and `grpc` offer no protocol that they do not speak."""
    for path, spec in spoken(config):
        known = _SPOKEN.get(str(path[-2]))
        for index, protocol in enumerate(spec.alpn):
            if known is not None and protocol not in known:
                place = (*path, "alpn", index)
                message = f"{path[-2]} speaks {' and '.join(known)}"
                yield Finding(place, message, "look for others by check: {tls: {alpn: [...]}}")
