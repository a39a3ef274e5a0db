"""The table `filter` of ip_tables and ip6_tables, out of the kernel's bytes.

It is one blob of entries that jump to each other by offset (linux/netfilter_ipv4/ip_tables.h,
linux/netfilter_ipv6/ip6_tables.h).
Rule: host byte order; a blob that cannot be read raises UnreadableRules. Only what FORWARD leads
to is decoded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Any

from libra_ipvs_writer.packet_filter import xtables
from libra_ipvs_writer.packet_filter.rules import (
    Action,
    Base,
    Condition,
    Family,
    Interface,
    Jump,
    Protocol,
    Rule,
    Source,
    Unclear,
    UnreadableRules,
)

SO_GET_INFO, SO_GET_ENTRIES = 64, 65
TABLE = "filter"
REQUEST = Struct("=32sI4x")
"""struct ipt_get_entries without its entries."""
INFO = Struct("=32sI5I5III")
FORWARD = 2
"""NF_INET_FORWARD, in hook_entry and underflow."""
EXTENSION = Struct("=H29sB")
"""struct xt_entry_match and xt_entry_target: size, name, revision; their data follow."""
NUMBER = Struct("=i")
RETURN, ACCEPT, DROP = -5, -2, -1
INV_IN, INV_OUT, INV_SOURCE, INV_DESTINATION, INV_PROTOCOL = 0x01, 0x02, 0x08, 0x10, 0x40
INV_UNCLEAR = 0x24
"""Inverted conditions on fragments and the type of service."""
ERROR = "ERROR"
"""The target that begins a chain of the user's and names it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of an entry lie; *conditions* is struct ipt_ip or ip6t_ip6.

    *full* is the mask of a whole address, *goto* and *unclear* are flags: the latter those of
    fragments (IPT_F_FRAG) and the type of service (IP6T_F_TOS).
    """

    conditions: Struct
    full: int
    goto: int
    unclear: int
    offsets: int
    size: int


V4 = Layout(Struct("=4s4s4s4s16s16s16s16sHBB"), 0xFFFFFFFF, 0x02, 0x01, 88, 112)
V6 = Layout(Struct("=16s16s16s16s16s16s16s16sHxBB"), (1 << 128) - 1, 0x04, 0x02, 140, 168)
LAYOUTS: dict[Family, Layout] = {4: V4, 6: V6}
NAMES: dict[Family, str] = {4: "ip", 6: "ip6"}
OFFSETS = Struct("=HH")


@dataclass(frozen=True, slots=True)
class Info:
    """What IPT_SO_GET_INFO says: where FORWARD begins and where its policy stands, in bytes."""

    forward: int
    policy: int
    entries: int
    size: int


def request(size: int = 0) -> bytes:
    """Encode the question, for IPT_SO_GET_INFO too: the table's name comes first."""
    return REQUEST.pack(TABLE.encode(), size)


def decode_info(octets: bytes) -> Info:
    """Read the answer to IPT_SO_GET_INFO."""
    if len(octets) < INFO.size:
        raise UnreadableRules(f"{len(octets)} bytes do not describe a table")
    found = INFO.unpack_from(octets)
    return Info(found[2 + FORWARD], found[7 + FORWARD], found[12], found[13])


def decode(family: Family, info: Info, blob: bytes) -> Base:
    """Read FORWARD and all it leads to out of the entries."""
    return _Blob(family, info, blob).base()


class _Blob:
    """The entries of one table, and where its chains begin."""

    def __init__(self, family: Family, info: Info, octets: bytes) -> None:
        self._layout = LAYOUTS[family]
        self._family = family
        self._info = info
        self._octets = octets
        self._starts = {info.forward: "FORWARD"}
        self._places = {"FORWARD": (info.forward, info.policy)}
        self._find_chains()

    def base(self) -> Base:
        chains: dict[str, tuple[Rule, ...]] = {}
        waiting = ["FORWARD"]
        while waiting:
            name = waiting.pop()
            if name not in chains:
                chains[name] = tuple(self._rules(name))
                jumps = (rule.action for rule in chains[name])
                waiting += [jump.chain for jump in jumps if isinstance(jump, Jump)]
        policy = self._rule(self._info.policy).action
        if policy is not Action.ACCEPT and policy is not Action.DROP:
            raise UnreadableRules(f"FORWARD ends by {policy}")
        return Base("legacy", NAMES[self._family], TABLE, "FORWARD", policy, 0, chains)

    def _find_chains(self) -> None:
        """Note where the user's chains begin and end: an entry that names one begins it."""
        at, begun = 0, 0
        while at < len(self._octets):
            target, following = self._offsets(at)
            name, _, data = self._extension(at + target, at + following)
            if name == ERROR:
                self._end(begun, at)
                begun = at + following
                self._starts[begun] = _text(data)
            at += following

    def _end(self, begun: int, end: int) -> None:
        if begun:
            self._places[self._starts[begun]] = (begun, end)

    def _offsets(self, at: int) -> tuple[int, int]:
        """Tell how far behind an entry its target and the next entry are."""
        if not 0 <= at <= len(self._octets) - self._layout.size:
            raise UnreadableRules(f"no entry fits at byte {at}")
        target, following = OFFSETS.unpack_from(self._octets, at + self._layout.offsets)
        if not self._layout.size <= target < following <= len(self._octets) - at:
            raise UnreadableRules(f"an entry of {following} bytes does not fit at byte {at}")
        return target, following

    def _extension(self, at: int, end: int) -> tuple[str, int, bytes]:
        """Read a match or target: its name, revision and data."""
        if at + EXTENSION.size > end:
            raise UnreadableRules(f"no match or target fits at byte {at}")
        size, name, revision = EXTENSION.unpack_from(self._octets, at)
        if size < EXTENSION.size or at + size > end:
            raise UnreadableRules(f"a match of {size} bytes does not fit at byte {at}")
        return _text(name), revision, self._octets[at + EXTENSION.size : at + size]

    def _rules(self, chain: str) -> Iterator[Rule]:
        if chain not in self._places:
            raise UnreadableRules(f"the chain {chain} has no end")
        at, end = self._places[chain]
        while at < end:
            yield self._rule(at)
            at += self._offsets(at)[1]

    def _rule(self, at: int) -> Rule:
        target, following = self._offsets(at)
        found = self._layout.conditions.unpack_from(self._octets, at)
        conditions = [*_plain(found, self._layout), *self._matches(at, target)]
        goto = bool(found[-2] & self._layout.goto)
        return Rule(tuple(conditions), self._action(at, target, following, returns=not goto))

    def _matches(self, at: int, target: int) -> Iterator[Condition]:
        match = at + self._layout.size
        while match < at + target:
            name, revision, data = self._extension(match, at + target)
            condition = xtables.condition(name, revision, data)
            if condition is not None:
                yield condition
            match += EXTENSION.size + len(data)

    def _action(self, at: int, target: int, following: int, *, returns: bool) -> Action | Jump:
        name, _, data = self._extension(at + target, at + following)
        if name:
            return xtables.action(name)
        if len(data) < NUMBER.size:
            raise UnreadableRules(f"no verdict at byte {at}")
        verdict = NUMBER.unpack_from(data)[0]
        if verdict < 0:
            return VERDICTS.get(verdict, Action.UNSURE)
        if verdict == at + following:
            return Action.GO_ON
        if verdict not in self._starts:
            raise UnreadableRules(f"a jump to byte {verdict}, where no chain begins")
        return Jump(self._starts[verdict], returns)


VERDICTS = {RETURN: Action.RETURN, ACCEPT: Action.ACCEPT, DROP: Action.DROP}


def _text(octets: bytes) -> str:
    return octets.split(b"\0", 1)[0].decode("ascii", "backslashreplace")


def _plain(found: tuple[Any, ...], layout: Layout) -> Iterator[Condition]:
    """Read struct ipt_ip or ip6t_ip6: source, destination, interfaces, protocol."""
    source, _, source_mask, destination_mask, inbound, outbound = found[:6]
    inbound_mask, outbound_mask, protocol, flags, inverted = found[6:]
    if any(source_mask):
        yield _source(source, source_mask, layout.full, negated=bool(inverted & INV_SOURCE))
    if (
        any(destination_mask)
        or inverted & (INV_DESTINATION | INV_UNCLEAR)
        or flags & layout.unclear
    ):
        yield Unclear()
    if any(inbound_mask):
        yield _interface(inbound, inbound_mask, out=False, negated=bool(inverted & INV_IN))
    if any(outbound_mask):
        yield _interface(outbound, outbound_mask, out=True, negated=bool(inverted & INV_OUT))
    if protocol:
        yield Protocol(protocol, bool(inverted & INV_PROTOCOL))


def _source(address: bytes, mask: bytes, full: int, *, negated: bool) -> Condition:
    """Read a prefix; a mask with holes is Unclear."""
    number, bits = int.from_bytes(address), int.from_bytes(mask)
    rest = full & ~bits
    if rest & (rest + 1):
        return Unclear()
    return Source(number & bits, number & bits | rest, negated)


def _interface(name: bytes, mask: bytes, *, out: bool, negated: bool) -> Condition:
    """Read a name; its mask covers the NUL at its end unless it stands for all that begin so."""
    known = mask.count(0xFF)
    text = _text(name[:known])
    return Interface(text, out, len(text) == known, negated)
