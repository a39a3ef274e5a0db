"""What a config must satisfy beyond the shape of its parts: names that exist, nothing twice.

Rule: every rule looks at the whole (valid) config and yields findings; none stops at the first.
"""

from collections.abc import Callable, Collection, Iterator

from libra_schemas.config import Config
from libra_schemas.places import Finding, Path
from libra_schemas.rules import instances, naming, pools, services, sinks, sync
from libra_schemas.rules.naming import Names

Rule = Callable[[Config, Names], Iterator[Finding]]

REFERENCES: tuple[Rule, ...] = (
    naming.reserved,
    instances.members,
    instances.tracked,
    sinks.routes,
)
"""Rules that hold of what is written even where something else in the same entity is broken."""

RULES: tuple[Rule, ...] = (
    naming.node_addresses,
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
    sinks.credentials,
    sync.daemon,
)


def cross_check(config: Config, names: Names, broken: Collection[Path] = ()) -> tuple[Finding, ...]:
    """Apply every rule to *config*.

    *names* are all names written, also those of broken parts; of entities in *broken*
    (`("services", "web")`), of which *config* holds only what is sound, only references count.
    """
    references = [finding for rule in REFERENCES for finding in rule(config, names)]
    others = [finding for rule in RULES for finding in rule(config, names)]
    return (*references, *(each for each in others if each.path[:2] not in broken))


__all__ = ["REFERENCES", "RULES", "Names", "Rule", "cross_check"]
