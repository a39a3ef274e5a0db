"""The chains of nf_tables at the hook FORWARD, out of dumps (linux/netfilter/nf_tables.h).

Rule: numbers are in network byte order; what cannot be read raises UnreadableRules.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is one
from typing import Literal, TypeVar

from libra_ipvs_writer.netlink import MalformedMessage, attribute, attributes, name, sized
from libra_ipvs_writer.packet_filter import expressions
from libra_ipvs_writer.packet_filter.expressions import number
from libra_ipvs_writer.packet_filter.rules import (
    Action,
    Base,
    Family,
    Jump,
    Policy,
    Rule,
    UnreadableRules,
)

Result = TypeVar("Result")
SUBSYSTEM = 10 << 8
GET_TABLE, GET_CHAIN, GET_RULE, GET_GENERATION = 1, 4, 7, 16
NFGEN = Struct("=BBH")
"""struct nfgenmsg: family, version, resource; it opens every payload."""
SIGNED = Struct(">i")
TABLE_NAME, TABLE_FLAGS, DORMANT = 1, 2, 1
CHAIN_TABLE, CHAIN_NAME, CHAIN_HOOK, CHAIN_POLICY = 1, 3, 4, 5
HOOK_NUMBER, HOOK_PRIORITY, FORWARD = 1, 2, 2
RULE_TABLE, RULE_CHAIN, RULE_EXPRESSIONS = 1, 2, 4
GENERATION_ID = 1
FAMILIES: dict[int, tuple[str, tuple[Family, ...]]] = {
    1: ("inet", (4, 6)),
    2: ("ip", (4,)),
    10: ("ip6", (6,)),
}
"""NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6: nft's word and the packets they see."""


POLICIES: dict[bool, Policy] = {False: Action.DROP, True: Action.ACCEPT}
"""NF_DROP is 0, NF_ACCEPT 1."""
COMPAT = ("filter", "FORWARD")
"""The table and chain that iptables makes on nf_tables."""


@dataclass(frozen=True, slots=True)
class Place:
    """A table: its family as the kernel counts them, and its name."""

    family: int
    table: str


@dataclass(frozen=True, slots=True)
class Hooked:
    """A base chain at FORWARD."""

    place: Place
    chain: str
    policy: Policy
    priority: int


def request(family: int = 0, table: str = "", chain: str = "") -> bytes:
    """Encode what a dump is to give, of all families where *family* is 0."""
    words = ((RULE_TABLE, table), (RULE_CHAIN, chain))
    named = [attribute(kind, word.encode() + b"\0") for kind, word in words if word]
    return NFGEN.pack(family, 0, 0) + b"".join(named)


def _guarded(read: Callable[[], Result]) -> Result:
    try:
        return read()
    except (MalformedMessage, StructError) as error:
        raise UnreadableRules(f"nf_tables: {error}") from error


def generation(payload: bytes) -> int:
    """Read the number that grows with every change of any rule."""
    return _guarded(lambda: number(_opened(payload)[1], GENERATION_ID))


def hooked(tables: Iterable[bytes], chains: Iterable[bytes]) -> list[Hooked]:
    """List the base chains at FORWARD, of tables that are not dormant."""
    return _guarded(lambda: list(_hooked(tables, chains)))


def _hooked(tables: Iterable[bytes], chains: Iterable[bytes]) -> Iterator[Hooked]:
    opened = [_opened(each) for each in tables]
    asleep = {
        Place(family, name(table, TABLE_NAME))
        for family, table in opened
        if number(table, TABLE_FLAGS) & DORMANT
    }
    for family, chain in map(_opened, chains):
        place = Place(family, name(chain, CHAIN_TABLE))
        if family in FAMILIES and CHAIN_HOOK in chain and place not in asleep:
            hook = attributes(chain[CHAIN_HOOK])
            if number(hook, HOOK_NUMBER) == FORWARD:
                policy = POLICIES[bool(number(chain, CHAIN_POLICY))]
                priority = int(SIGNED.unpack(sized(hook, HOOK_PRIORITY, SIGNED.size))[0])
                yield Hooked(place, name(chain, CHAIN_NAME), policy, priority)


def programs(place: Place, rules: Iterable[bytes]) -> dict[str, list[bytes]]:
    """Sort the rules of one table by chain, undecoded."""
    return _guarded(lambda: _programs(place, rules))


def _programs(place: Place, rules: Iterable[bytes]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for family, rule in map(_opened, rules):
        if Place(family, name(rule, RULE_TABLE)) == place:
            listed = found.setdefault(name(rule, RULE_CHAIN), [])
            listed.append(rule.get(RULE_EXPRESSIONS, b""))
    return found


def decode(hook: Hooked, family: Family, rules: Mapping[str, Sequence[bytes]]) -> Base:
    """Read the rules that *hook* leads to, as they concern packets of *family*."""
    chains: dict[str, tuple[Rule, ...]] = {}
    waiting = [hook.chain]
    while waiting:
        chain = waiting.pop()
        if chain not in chains:
            read = partial(_rules, family, rules.get(chain, ()))
            chains[chain] = _guarded(read)
            jumps = (rule.action for rule in chains[chain])
            waiting += [jump.chain for jump in jumps if isinstance(jump, Jump)]
    word, table = FAMILIES[hook.place.family][0], hook.place.table
    compat = word != "inet" and (table, hook.chain) == COMPAT
    kind: Literal["compat", "nft"] = "compat" if compat else "nft"
    return Base(kind, word, table, hook.chain, hook.policy, hook.priority, chains)


def _rules(family: Family, listed: Iterable[bytes]) -> tuple[Rule, ...]:
    found = (expressions.decode(family, each) for each in listed)
    return tuple(rule for rule in found if rule is not None)


def _opened(payload: bytes) -> tuple[int, dict[int, bytes]]:
    """Read a payload: its family and its attributes."""
    return NFGEN.unpack_from(payload)[0], attributes(payload[NFGEN.size :])
