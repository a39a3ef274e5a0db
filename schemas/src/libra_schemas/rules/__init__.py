"""What a config must satisfy beyond the shape of its parts: names that exist, nothing twice.

Rule: every rule looks at the whole config and yields findings; none stops at the first.
"""

from collections.abc import Callable, Collection, Iterator

from libra_schemas.config import Config
from libra_schemas.places import Finding, Path
from libra_schemas.rules import instances, nodes, pools, services, sinks, sync, timeouts
from libra_schemas.rules.references import references

Rule = Callable[[Config], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    nodes.addresses,
    instances.one_sided,
    instances.addresses,
    instances.virtual_routers,
    services.twice,
    services.options,
    pools.reachable,
    pools.ports,
    pools.checked,
    pools.sizes,
    pools.secret_headers,
    sinks.routes,
    sinks.credentials,
    sync.daemon,
    timeouts.whole,
)


def cross_check(config: Config, broken: Collection[Path] = ()) -> tuple[Finding, ...]:
    """Apply every rule to *config*.

    Nothing is said of entities in *broken* (`("services", "web")`): of those *config* holds only
    what is sound, and what else is wrong may only follow from what is missing.
    """
    found = (finding for rule in RULES for finding in rule(config))
    return tuple(finding for finding in found if finding.path[:2] not in broken)


__all__ = ["RULES", "Rule", "cross_check", "references"]
