"""The target digest: what a verdict was reached against.

Rule: health and the ipvs-writer compute it alike, from the config alone, so that a verdict
counts only for exactly the (address, port, protocol, checks) it is about, and which must pass.
"""

from libra_schemas.canonical import digest
from libra_schemas.config import BackendConfig, CheckConfig, ServiceConfig

_LATER: tuple[tuple[str, str, object], ...] = (
    ("", "data_path", False),
    ("http", "headers_files", {}),
    ("http", "version", "1.1"),
    ("http", "redirects", 0),
    ("http", "requests", []),
    ("http", "keep_alive", True),
)
"""Keys that a check got after there were logs: of which block, and what says that it is not used.

One with a default other than None has to stand here, or every digest changes with a release.
"""


def target_of(service: ServiceConfig, backend: BackendConfig) -> str:
    """Digest (address, port, protocol, check specs) of *backend* in *service*.

    With a check through IPVS also how it gets to the backend: the service's address, and `forward`.
    """
    any_passes = service.require_of(backend) == "any"
    checks = service.checks_of(backend)
    through = {"service": str(service.address), "forward": service.forward_of(backend)}
    return digest(
        {
            "address": str(backend.address.address),
            "port": backend.address.port,
            "protocol": "fwmark" if service.fwmark is not None else service.protocol,
            "checks": [check_form(check) for check in checks],
            **({"require": "any"} if any_passes else {}),
        }
        | ({"through": through} if any(check.data_path for check in checks) else {})
    )


def check_form(check: CheckConfig) -> dict[str, object]:
    """Give the JSON form of one check, defaults filled in and nothing unset.

    Without what came later where it is off: verdicts from before there was such a thing still
    count.
    """
    form = check.model_dump(mode="json", exclude_none=True)
    for place, key, off in _LATER:
        holder = form.get(place) if place else form
        if isinstance(holder, dict) and key in holder and holder[key] == off:
            del holder[key]
    return form
