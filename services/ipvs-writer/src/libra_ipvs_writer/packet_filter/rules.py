"""The rules of the netfilter hook FORWARD in neutral words, whatever tables they are kept in.

Rule: a condition that is not understood is `Unclear`, an action that is not understood `UNSURE`;
nothing is left out because it is inconvenient.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Literal

Family = Literal[4, 6]


class UnreadableRules(ValueError):
    """Rules that cannot be read or followed to their end; nothing is to be said of them."""


class Tracking(IntFlag):
    """What connection tracking may call a packet (linux/netfilter/nf_conntrack_common.h)."""

    INVALID = 1
    ESTABLISHED = 2
    RELATED = 4
    NEW = 8
    UNTRACKED = 64


class Action(Enum):
    """What a rule does to a packet; UNSURE may accept it, drop it, or let it go on."""

    ACCEPT = "accept"
    DROP = "drop"
    RETURN = "return"
    GO_ON = "go on"
    UNSURE = "unsure"


Policy = Literal[Action.ACCEPT, Action.DROP]


@dataclass(frozen=True, slots=True)
class Jump:
    """Go to *chain*; what comes out of its end goes on behind this rule, where it *returns*."""

    chain: str
    returns: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """The source address, as a number, is one from *first* to *last*."""

    first: int
    last: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Interface:
    """The packet comes in (or goes *out*) by *name*, or a name that begins with it (*prefix*)."""

    name: str
    out: bool = False
    prefix: bool = False
    negated: bool = False

    def fits(self, name: str) -> bool:
        """Tell whether the interface called *name* is meant, leaving negation aside."""
        return name.startswith(self.name) if self.prefix else name == self.name


@dataclass(frozen=True, slots=True)
class Protocol:
    """The transport protocol is *number*."""

    number: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Tracked:
    """Connection tracking calls the packet one of *states*."""

    states: Tracking
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """A condition that may hold or not: the destination (clients are anywhere), sets, limits."""


Condition = Source | Interface | Protocol | Tracked | Unclear


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to packets for which all *conditions* hold."""

    conditions: tuple[Condition, ...]
    action: Action | Jump


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """A chain at the hook with the chains that it leads to; *policy* ends it.

    *kind* says whose it is: `legacy` (ip_tables), `compat` (iptables on nf_tables) or `nft`,
    with *family* and *table* as nft names them.
    """

    kind: Literal["legacy", "compat", "nft"]
    family: str
    table: str
    chain: str
    policy: Policy
    priority: int
    chains: Mapping[str, tuple[Rule, ...]]
