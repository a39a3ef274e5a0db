"""Check `file`, from the config."""

from __future__ import annotations

from libra_health.checks.file import FileSpec, Missing
from libra_health.wire import Target
from libra_schemas import config as written


def asked(spec: written.FileSpec, _target: Target) -> FileSpec:
    """Translate."""
    return FileSpec(spec.path, spec.weight, Missing(spec.missing), spec.older_than)
