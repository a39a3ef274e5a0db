"""Check `http`, from the config."""

from __future__ import annotations

from typing import Final

from libra_health.checks.http import Ask, HttpSpec
from libra_health.http.expectations import Contains, Digest, Expectation, Matches
from libra_health.http.request import Request
from libra_health.patterns import compiled
from libra_health.wire import Target
from libra_schemas import config as written

PORT: Final = 80


def asked(spec: written.HttpSpec, target: Target, usual: int = PORT) -> HttpSpec:
    """Translate; raises ValueError where no such request can be written.

    `usual`: the port that a `Host` header leaves out.
    """
    return HttpSpec(
        tuple(_ask(one, target, usual) for one in spec.each),
        body_limit=spec.max_body,
        keeps=spec.keep_alive and spec.version == "1.1",
        redirects=spec.redirects,
        secrets=tuple(spec.headers_files.items()),
    )


def _ask(spec: written.HttpSpec, target: Target, usual: int) -> Ask:
    named = [value for name, value in spec.headers.items() if name.lower() == "host"]
    headers = tuple(each for each in spec.headers.items() if each[0].lower() != "host")
    host = spec.host or next(iter(named), "") or str(target).removesuffix(f":{usual}")
    body = None if spec.body is None else spec.body.encode()
    request = Request(host, spec.path, spec.method, headers, body, spec.version)
    return Ask(request, tuple(map(_range, spec.status)), _expectations(spec))


def _expectations(spec: written.HttpSpec) -> tuple[Expectation, ...]:
    wanted: list[Expectation] = []
    if spec.contains is not None:
        wanted.append(Contains(spec.contains.encode()))
    if spec.regex is not None:
        compiled(spec.regex)
        wanted.append(Matches(spec.regex))
    if spec.digest is not None and spec.digest.sha256 is not None:
        wanted.append(Digest("sha256", spec.digest.sha256.lower()))
    if spec.digest is not None and spec.digest.md5 is not None:
        wanted.append(Digest("md5", spec.digest.md5.lower()))
    return tuple(wanted)


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)
