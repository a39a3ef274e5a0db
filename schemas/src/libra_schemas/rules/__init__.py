"""What a config must satisfy beyond the shape of its parts: names that exist, nothing twice.

Rule: every rule looks at the whole config and yields findings; none stops at the first. A finding
says what else was read: in a config that is broken elsewhere nothing is said that rests on that.
"""

from collections.abc import Callable, Iterator

from libra_schemas.config import Config
from libra_schemas.places import Finding
from libra_schemas.rules import (
    adverts,
    aims,
    checks,
    data_path,
    dialogues,
    dns,
    empty,
    errands,
    exchanges,
    groups,
    holds,
    http,
    instances,
    nodes,
    pools,
    routing,
    services,
    sinks,
    sync,
    timeouts,
    tls,
    tracks,
    verdicts,
    virtual_addresses,
    vmacs,
)
from libra_schemas.rules.references import references

Rule = Callable[[Config], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    nodes.addresses,
    instances.one_sided,
    instances.sole_owners,
    instances.owners,
    instances.virtual_routers,
    groups.nodes,
    groups.order,
    instances.named,
    virtual_addresses.possible,
    virtual_addresses.once,
    virtual_addresses.listable,
    vmacs.possible,
    vmacs.names,
    routing.routes,
    routing.rules,
    routing.once,
    adverts.versions,
    adverts.seals,
    adverts.unicast,
    adverts.told_apart,
    tracks.timeouts,
    tracks.interfaces,
    tracks.own_vmacs,
    services.named,
    services.twice,
    services.options,
    empty.said,
    checks.kinds,
    checks.timeouts,
    aims.hosts,
    aims.unheeded_ports,
    aims.origins,
    aims.families,
    http.bodies,
    http.contents,
    http.digests,
    http.headers,
    http.headers_twice,
    http.in_the_clear,
    tls.unverified,
    tls.keys,
    tls.protocols,
    dialogues.credentials,
    dialogues.in_clear,
    dialogues.searches,
    dns.expected,
    dns.rcodes,
    dns.reversed_names,
    errands.secret_variables,
    errands.secret_arguments,
    errands.ways,
    exchanges.presets,
    exchanges.spelled_twice,
    exchanges.empty_steps,
    exchanges.datagrams,
    pools.reachable,
    pools.loops,
    pools.ports,
    pools.checked,
    pools.sizes,
    holds.possible,
    verdicts.several,
    verdicts.damping,
    verdicts.max_down,
    verdicts.vantage,
    verdicts.slow_start,
    data_path.possible,
    data_path.beside,
    data_path.origins,
    data_path.marks,
    data_path.names,
    sinks.kinds,
    sinks.routes,
    sinks.credentials,
    sync.daemon,
    timeouts.whole,
)


def cross_check(config: Config) -> tuple[Finding, ...]:
    """Apply every rule to *config*."""
    return tuple(finding for rule in RULES for finding in rule(config))


__all__ = ["RULES", "Rule", "cross_check", "references"]
