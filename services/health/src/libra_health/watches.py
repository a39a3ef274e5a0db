"""From the config to what is watched: every backend of every service, with its probes.

The one rule: what cannot be asked is refused here, before anything that runs is touched.
"""

from __future__ import annotations

from libra_health.checks import HttpSpec, IcmpSpec, Spec, TcpSpec
from libra_health.checks.http import Contains, Expectation, Matches, request
from libra_health.patterns import compiled
from libra_health.probes import Lookout, Probe, Watch
from libra_health.wire import Target
from libra_schemas import config as written
from libra_schemas.target import target_of

HTTP_PORT = 80


def watches_of(config: written.Config) -> tuple[Watch, ...]:
    """List all backends with their probes; raises ValueError where a check cannot be asked."""
    return tuple(
        _watch((service_name, name), service, backend)
        for service_name, service in config.services.items()
        for name, backend in service.backends.items()
    )


def _watch(
    key: tuple[str, str], service: written.ServiceConfig, backend: written.BackendConfig
) -> Watch:
    try:
        checks = service.checks_of(backend)
        lookouts = tuple(_lookout(service, backend, check) for check in checks)
    except ValueError as error:
        raise ValueError(f"services.{key[0]}.backends.{key[1]}.check: {error}") from error
    protocol = "fwmark" if service.fwmark is not None else service.protocol
    address, port = str(backend.address.address), backend.address.port
    return Watch(key, address, port, protocol, target_of(service, backend), lookouts)


def _lookout(
    service: written.ServiceConfig, backend: written.BackendConfig, check: written.CheckConfig
) -> Lookout:
    own_port = backend.address.port or (service.address.port if service.address else 0)
    port = 0 if check.icmp is not None else check.port or own_port
    if not port and check.icmp is None:
        raise ValueError("no port to check; name one")
    target = Target(str(check.address or backend.address.address), port)
    probe = Probe(target, _spec(check, target), check.every, check.timeout)
    path = check.http.path if check.http is not None else ""
    return Lookout(probe, check.rise, check.fall, f"{check.kind} {target}{path}"[:256])


def _spec(check: written.CheckConfig, target: Target) -> Spec:
    if check.tcp is not None:
        return _tcp(check.tcp)
    if check.http is not None:
        return _http(check.http, target)
    return IcmpSpec(check.icmp.size) if check.icmp is not None else IcmpSpec()


def _tcp(spec: written.TcpSpec) -> TcpSpec:
    compiled(spec.expect or "")
    return TcpSpec((spec.send or "").encode(), spec.expect or "")


def _http(spec: written.HttpSpec, target: Target) -> HttpSpec:
    host = spec.host or str(target).removesuffix(f":{HTTP_PORT}")
    return HttpSpec(
        request(host, spec.path, spec.method, spec.headers),
        is_head=spec.method == "HEAD",
        statuses=tuple(_range(text) for text in spec.status),
        body=_expectations(spec),
        body_limit=spec.max_body,
    )


def _expectations(spec: written.HttpSpec) -> tuple[Expectation, ...]:
    wanted: list[Expectation] = []
    if spec.contains is not None:
        wanted.append(Contains(spec.contains.encode()))
    if spec.regex is not None:
        compiled(spec.regex)
        wanted.append(Matches(spec.regex))
    return tuple(wanted)


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)
