"""The sentence that says what the packet filter drops, and the rule that mends it.

Rule: docker's chain is named only where the rule has been tried there, on the rules that were
read. It is for the network that the route to the real servers names; where that is wider than a /16
(/48), the default route's above all, for the smallest that holds those of one /24 (/64).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network

from libra_ipvs_writer.packet_filter.answers import IPAddress, IPNetwork, Path, Server
from libra_ipvs_writer.packet_filter.fate import Answers, judge
from libra_ipvs_writer.packet_filter.rules import Action, Base, Rule, Source

DOCKER = "DOCKER-USER"
"""The chain that dockerd keeps for the host's own rules."""
WIDEST = {4: 16, 6: 48}
"""Prefix lengths: what is wider is no network that one rule should let through."""
NEIGHBOURHOOD = {4: 24, 6: 64}
WORDS = {"ip": "iptables", "ip6": "ip6tables"}
WITHOUT_NUMBER = 4
"""The version of IP that nft calls plainly `ip`."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Real servers of one *network* whose answers, which are *answers*, *base* drops."""

    base: Base
    network: IPNetwork
    servers: tuple[IPAddress, ...]
    answers: Answers


def advice(
    bases: Sequence[Base],
    servers: Sequence[Server],
    paths: Mapping[IPAddress, Path],
    answers: Answers,
) -> list[str]:
    """Say what is certain to be dropped, a sentence for each network and chain.

    *answers* are those of *servers*, in that order, all of one address family. Raise
    UnreadableRules where the rules cannot be followed to their end.
    """
    groups: dict[tuple[Base, IPNetwork], list[int]] = {}
    for at, verdict in enumerate(judge(bases, answers)):
        if verdict.base is not None:
            near = _near(servers[at].address, paths[servers[at].address])
            groups.setdefault((verdict.base, near), []).append(at)
    return [
        sentence(_loss(base, members, servers, paths, answers), bases)
        for (base, _), members in groups.items()
    ]


def _is_wide(network: IPNetwork) -> bool:
    return network.prefixlen < WIDEST[network.version]


def _near(address: IPAddress, path: Path) -> IPNetwork:
    """Give the network whose real servers are told together with *address*."""
    if not _is_wide(path.network):
        return path.network
    return ip_network((address, NEIGHBOURHOOD[address.version]), strict=False)


def _smallest(addresses: Sequence[IPAddress]) -> IPNetwork:
    """Give the smallest network that holds all *addresses*, which are of one family."""
    address, differ = addresses[0], min(map(int, addresses)) ^ max(map(int, addresses))
    length = address.max_prefixlen - differ.bit_length()
    return ip_network((address, length), strict=False)


def _loss(
    base: Base,
    members: Sequence[int],
    servers: Sequence[Server],
    paths: Mapping[IPAddress, Path],
    answers: Answers,
) -> Loss:
    addresses = tuple(dict.fromkeys(servers[at].address for at in members))
    route = paths[addresses[0]].network
    network = _smallest(addresses) if _is_wide(route) else route
    dropped = replace(answers, each=tuple(answers.each[at] for at in members))
    return Loss(base, network, addresses, dropped)


def sentence(loss: Loss, bases: Sequence[Base]) -> str:
    """Say a loss and the rule that mends it."""
    base, first = loss.base, loss.servers[0]
    more = f" (and {len(loss.servers) - 1} more)" if loss.servers[1:] else ""
    if base.policy is Action.DROP:
        why = f"the policy of {_where(base)} is DROP and no rule accepts {first}{more} -> clients"
    else:
        why = f"a rule of {_where(base)} drops {first}{more} -> clients"
    return (
        f"The host's packet filter drops what real servers answer: {why}; "
        f"run `{rule(loss, bases)}` on the host."
    )


def _where(base: Base) -> str:
    return f"{base.family} {base.table} {base.chain}" if base.kind == "nft" else base.chain


def rule(loss: Loss, bases: Sequence[Base]) -> str:
    """Write the command that lets these answers pass."""
    base, network = loss.base, loss.network
    if base.kind == "nft":
        field = f"ip{'' if network.version == WITHOUT_NUMBER else '6'} saddr {network}"
        return f"nft insert rule {base.family} {base.table} {base.chain} {field} accept"
    both = base.kind == "legacy" and any(
        (each.kind, each.family) == ("compat", base.family) for each in bases
    )
    command = WORDS[base.family] + ("-legacy" if both else "")
    chain = DOCKER if DOCKER in base.chains and _mends(loss, DOCKER) else base.chain
    return f"{command} -I {chain} -s {network} -j ACCEPT"


def _mends(loss: Loss, chain: str) -> bool:
    """Try the rule at the top of *chain*."""
    network = loss.network
    condition = Source(int(network.network_address), int(network.broadcast_address))
    rules = (Rule((condition,), Action.ACCEPT), *loss.base.chains[chain])
    mended = replace(loss.base, chains={**loss.base.chains, chain: rules})
    return all(each.fate == "passes" for each in judge([mended], loss.answers))
