"""Checks `http` and `https`: a body where one is looked at, no secret, no header that is ours."""

from collections.abc import Iterator

from libra_schemas.config import Config, HttpSpec
from libra_schemas.config.kinds.fields import host_header
from libra_schemas.places import STRANGER, Finding, Path
from libra_schemas.rules.checks import written
from libra_schemas.rules.secrets import is_secret

_OURS = frozenset({"connection", "content-length", "transfer-encoding"})
_OF_BODY = ("contains", "regex", "digest")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def asked(config: Config) -> Iterator[tuple[Path, HttpSpec]]:
    """Give every check `http` and `https` of *config*, where it stands."""
    for path, check in written(config):
        for kind in ("http", "https"):
            if (spec := getattr(check, kind)) is not None:
                yield (*path, kind), spec


def _place(path: Path, spec: HttpSpec, index: int, key: str) -> Path:
    """Tell where the request at *index* says *key*: itself, or with the check's own keys."""
    is_own = spec.requests and getattr(spec.requests[index], key) is not None
    return (*path, "requests", index, key) if is_own else (*path, key)


def bodies(config: Config) -> Iterator[Finding]:
    """Check that there is a body where one is looked at (RFC 9110 §9.3.2)."""
    for path, spec in asked(config):
        for index, one in enumerate(spec.each):
            for key in _OF_BODY if one.method == "HEAD" else ():
                if getattr(one, key) is not None:
                    place, read = (_place(path, spec, index, each) for each in (key, "method"))
                    message = "an answer to HEAD has no body"
                    yield Finding(place, message, "use method: GET", read=(read,))


def contents(config: Config) -> Iterator[Finding]:
    """Check that a request that carries something is one that may (RFC 9110 §9.3.1)."""
    for path, spec in asked(config):
        for index, one in enumerate(spec.each):
            if one.body is not None and one.method not in _WITH_BODY:
                place, read = (_place(path, spec, index, each) for each in ("body", "method"))
                yield Finding(place, f"{one.method} carries none", "use method: POST", read=(read,))


def digests(config: Config) -> Iterator[Finding]:
    """Check that a digest is named."""
    for path, spec in asked(config):
        places = [((*path, "digest"), spec.digest)]
        places += [
            ((*path, "requests", index, "digest"), one.digest)
            for index, one in enumerate(spec.requests)
        ]
        for place, digest in places:
            if digest is not None and digest.sha256 is None and digest.md5 is None:
                hint = "`libra digest URL` prints it"
                read = tuple((*place, key) for key in ("sha256", "md5", STRANGER))
                yield Finding(place, "name sha256 or md5, or both", hint, read=read)


def headers(config: Config) -> Iterator[Finding]:
    """Refuse headers whose value is a secret, that LibrA writes itself, or that say no host."""
    for path, spec in asked(config):
        for key, header in _headers(spec):
            if header.lower() in _OURS:
                message, hint = "is written by LibrA itself", "leave it out"
                yield Finding((*path, key, header), message, hint, on_key=True)
        for header, value in spec.headers.items():
            place = (*path, "headers", header)
            if is_secret(header):
                message = "holds a secret, and a secret is never a value"
                hint = "write it to a file and name that under headers_files"
                yield Finding(place, message, hint, on_key=True)
            if header.lower() == "host":
                try:
                    host_header(value)
                except ValueError as error:
                    yield Finding(place, str(error))


def headers_twice(config: Config) -> Iterator[Finding]:
    """Refuse headers that stand twice, in whatever case (RFC 9110 section 5.1)."""
    for path, spec in asked(config):
        said = set() if spec.host is None else {"host"}
        for key, header in _headers(spec):
            name = header.lower()
            is_host = name == "host" and key == "headers_files"
            if name in said or is_host:
                hint = "use host" if is_host else "leave one of them out"
                place = (*path, key, header)
                yield Finding(place, "stands in the request already", hint, on_key=True)
            said.add(name)


def _headers(spec: HttpSpec) -> Iterator[tuple[str, str]]:
    """Give every header by the key it stands under and its name."""
    yield from (("headers", header) for header in spec.headers)
    yield from (("headers_files", header) for header in spec.headers_files)


def in_the_clear(config: Config) -> Iterator[Finding]:
    """Check that TLS is not asked of `http`."""
    for path, spec in asked(config):
        if path[-1] == "http" and spec.tls is not None:
            place = (*path, "tls")
            yield Finding(place, "http speaks no TLS", "name the check https", on_key=True)
