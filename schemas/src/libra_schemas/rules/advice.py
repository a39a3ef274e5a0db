"""What is no error and yet seldom meant."""

from collections.abc import Callable, Iterator

from libra_schemas.config import Config
from libra_schemas.config.instance import virtual_address
from libra_schemas.marks import asked_through
from libra_schemas.places import Finding
from libra_schemas.rules.checks import written
from libra_schemas.rules.groups import groups
from libra_schemas.rules.tls import spoken
from libra_schemas.suggestions import nearest
from libra_schemas.text import spelled

MOST_THROUGH = 50
"""Probes of one service a second: their ports come round after 3,000, IPVS forgets after 60 s."""

SOON = 3600
"""Seconds in which hardly anybody renews a certificate."""


def unowned(config: Config) -> Iterator[Finding]:
    """Name services whose address no instance brings, where there are instances at all."""
    owned = {
        virtual_address(each)
        for one in config.instances.values()
        for each in (*one.addresses, *one.excluded)
    }
    for name, service in config.services.items():
        address = service.address.address if service.address is not None else None
        if owned and address is not None and address not in owned:
            message = f"no instance owns {address}; something else has to bring it"
            hint = nearest(str(address), [str(each) for each in owned])
            yield Finding(("services", name, "address"), message, hint)


def lonely(config: Config) -> Iterator[Finding]:
    """Name groups of one instance, which moves as it would without."""
    found = groups(config)
    for group, members in found.items():
        if len(members) == 1:
            message = f"no other instance is in group {group}"
            hint = nearest(group, found.keys() - {group})
            yield Finding(("instances", members[0], "group"), message, hint)


def uneven(config: Config) -> Iterator[Finding]:
    """Name groups that take over more slowly than the quickest of their instances would."""
    for group, members in groups(config).items():
        slowest = max(members, key=lambda name: config.instances[name].interval)
        quickest = min(members, key=lambda name: config.instances[name].interval)
        if config.instances[slowest].interval > config.instances[quickest].interval:
            message = f"group {group} takes over no sooner than this, its slowest instance"
            hint = f"give it the interval of {quickest}"
            yield Finding(("instances", slowest, "interval"), message, hint)


def unheard(config: Config) -> Iterator[Finding]:
    """Name unicast instances of one node, whose adverts go to nobody."""
    for name, instance in config.instances.items():
        taking_part = [node for node in config.nodes if instance.takes_part(node)]
        if instance.unicast and len(taking_part) == 1:
            message = f"only node {taking_part[0]} takes part; its adverts go to nobody"
            yield Finding(("instances", name, "unicast"), message, "give another node a priority")


def untied(config: Config) -> Iterator[Finding]:
    """Name nodes that no tether reaches: of a link-local address it is not known where it is."""
    for name, node in config.nodes.items():
        shared = any(
            one.takes_part(name) and any(one.takes_part(o) for o in config.nodes.keys() - {name})
            for one in config.instances.values()
        )
        if config.tether.enabled and shared and node.address.is_link_local:
            message = f"no tether reaches {node.address}: every interface has such addresses"
            hint = "write an address that the other nodes route to, or tether: {enabled: false}"
            yield Finding(("nodes", name, "address"), message, hint, read=(("tether",),))


def unlinked(config: Config) -> Iterator[Finding]:
    """Name services that count votes, which somebody has to carry."""
    for name, service in config.services.items():
        if service.vantage.mode != "local":
            message = "votes come over a leaf link between the nats-servers of all nodes"
            hint = "this release sets none up: configure it, or each node goes by what it sees"
            yield Finding(("services", name, "vantage"), message, hint)


def sourceless(config: Config) -> Iterator[Finding]:
    """Name routes from an address that the master need not have: without it the kernel refuses."""
    together = groups(config)
    for name, instance in config.instances.items():
        members = together.get(instance.group or "", [name])
        owned = {
            virtual_address(each)
            for member in members
            for each in (*config.instances[member].addresses, *config.instances[member].excluded)
        }
        for index, route in enumerate(instance.routes):
            if route.src is not None and route.src not in owned:
                message = f"{route.src} is no address of this instance; without it on the host"
                message += " the kernel refuses the route"
                hint = nearest(str(route.src), [str(each) for each in owned])
                yield Finding(("instances", name, "routes", index, "src"), message, hint)


def echoing(config: Config) -> Iterator[Finding]:
    """Name sorry servers that are a service: IPVS takes nothing twice, so who asks meets a host."""
    for name, service in config.services.items():
        if service.sorry is None:
            continue
        sorry = service.sorry.address
        for other, it in config.services.items():
            virtual = it.address
            if virtual and sorry.address == virtual.address and virtual.port in {0, sorry.port}:
                which = "the service itself" if other == name else f"service {other}"
                message = f"{sorry} is {which}: only this node could answer there"
                hint = "write the address of the server that says sorry"
                yield Finding(("services", name, "sorry"), message, hint)


def crowded(config: Config) -> Iterator[Finding]:
    """Name services probed through IPVS so often that a port comes round before IPVS forgot it."""
    rates: dict[str, float] = {}
    for name, backend in asked_through(config):
        service = config.services[name]
        checks = service.checks_of(service.backends[backend])
        mine = sum(1 / check.every for check in checks if check.data_path)
        rates[name] = rates.get(name, 0.0) + mine
    for name, rate in rates.items():
        if rate > MOST_THROUGH:
            message = f"{rate:.0f} probes a second through IPVS: one may meet what it remembers of"
            message += " another backend that does not answer"
            hint = f"write a longer every: {MOST_THROUGH} a second are safe"
            yield Finding(("services", name), message, hint, on_key=True)


def unheard_refusals(config: Config) -> Iterator[Finding]:
    """Name UDP checks that ask more often than a closed port answers (icmp(7))."""
    for path, check in written(config):
        spec = check.udp
        expects = spec is not None and (spec.expect is not None or spec.expect_hex is not None)
        passes = spec is not None and (spec.silence or ("fail" if expects else "pass")) == "pass"
        if passes and check.every < 1:
            message = "a closed port may refuse once a second only, and silence passes between"
            hint = "check every 1s, or say silence: fail"
            read = ((*path, "every"),)
            yield Finding((*path, "udp"), message, hint, read=read)


def overtaken(config: Config) -> Iterator[Finding]:
    """Name services that schedule every packet by itself and yet keep clients where they are.

    The kernel takes both, and asks persistence first (net/netfilter/ipvs/ip_vs_core.c).
    """
    for name, service in config.services.items():
        if service.one_packet and service.persistence:
            message = "does little beside persistence: all packets of a client go to one backend"
            yield Finding(("services", name, "one_packet"), message, "leave one of them out")


def hasty(config: Config) -> Iterator[Finding]:
    """Name checks that tell of a certificate's end when it is too late to renew it."""
    for path, spec in spoken(config):
        if spec.expires_within and spec.expires_within < SOON:
            message = f"fails {spelled(spec.expires_within)} before the certificate's end only"
            hint = "a bare number is in seconds: two weeks are 14d"
            yield Finding((*path, "expires_within"), message, hint)


ADVICE: tuple[Callable[[Config], Iterator[Finding]], ...] = (
    unowned,
    echoing,
    lonely,
    uneven,
    unheard,
    untied,
    sourceless,
    crowded,
    unheard_refusals,
    unlinked,
    overtaken,
    hasty,
)


def advise(config: Config) -> tuple[Finding, ...]:
    """Say all of it of *config*."""
    return tuple(finding for advice in ADVICE for finding in advice(config))
