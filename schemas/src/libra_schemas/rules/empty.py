"""Keys of which nothing is said: each would be as if it were not there, and nobody would know.

Rule: only what is left empty is told, never what is left out.
"""

from collections.abc import Iterator

from libra_schemas.config import BackendConfig, Config, ServiceConfig
from libra_schemas.places import Finding, Path

_CHECK = "write a kind such as check: tcp, or a mapping such as check: {http: {path: /healthz}}"

_OF_SERVICE = {
    "check": f"{_CHECK}; with assume_up: true a service needs none",
    "hold": "write hold: true, or leave it out",
    "damping": "write damping: {changes: 5}, or leave it out",
    "max_down": "write a share such as max_down: 50%, or leave it out",
}
_OF_BACKEND = {
    "check": f"{_CHECK}; leave it out to check it as its service says",
    "hold": "write hold: true or hold: false, or leave it out",
}
"""What may be written in place of nothing."""


def said(config: Config) -> Iterator[Finding]:
    """Check that no key is left empty that steadies or checks."""
    for name, service in config.services.items():
        path: Path = ("services", name)
        yield from _empty(path, service, _OF_SERVICE)
        for backend, real in service.backends.items():
            yield from _empty((*path, "backends", backend), real, _OF_BACKEND)


def _empty(
    path: Path, model: ServiceConfig | BackendConfig, hints: dict[str, str]
) -> Iterator[Finding]:
    for key, hint in hints.items():
        if key in model.model_fields_set and getattr(model, key) is None:
            yield Finding((*path, key), "is empty", hint)
