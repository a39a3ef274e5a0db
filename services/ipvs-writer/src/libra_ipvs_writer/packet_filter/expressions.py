"""One rule of nf_tables out of its expressions (linux/netfilter/nf_tables.h).

A rule is a little program: expressions load a field into a register, mask it, compare it, and end
by a verdict. Rule: an expression that is not known makes the rule unsure and forgets all registers;
a comparison of what is not known is Unclear.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from struct import Struct
from sys import byteorder

from libra_ipvs_writer.netlink import attributes, each_attribute, name, sized
from libra_ipvs_writer.packet_filter import xtables
from libra_ipvs_writer.packet_filter.rules import (
    Action,
    Condition,
    Family,
    Interface,
    Jump,
    Protocol,
    Rule,
    Source,
    Tracked,
    Tracking,
    Unclear,
)

BE32 = Struct(">I")
BE_SIGNED = Struct(">i")
ELEMENT, EXPRESSION_NAME, EXPRESSION_DATA = 1, 1, 2
DATA_VALUE, DATA_VERDICT = 1, 2
VERDICT_CODE, VERDICT_CHAIN = 1, 2
VERDICT_REGISTER = 0
DROP, ACCEPT, GO_ON, JUMP, GOTO, RETURN = 0, 1, -1, -3, -4, -5
NETWORK_HEADER = 1
SOURCE_AT: dict[Family, tuple[int, int]] = {4: (12, 4), 6: (8, 16)}
"""Offset and length of the source address in the IP header (RFC 791, RFC 8200)."""
PROTOCOL_AT = (9, 1)
META = {6: "inbound", 7: "outbound", 15: "family", 16: "protocol"}
"""NFT_META_IIFNAME, OIFNAME, NFPROTO, L4PROTO."""
FAMILIES: dict[Family, int] = {4: 2, 6: 10}
CT_STATE = 0
EQUAL, NOT_EQUAL = 0, 1
PLAIN_BITWISE, BITWISE_MASK, BITWISE_XOR = 0, 4, 5
LOOKUP_RESULT = 3
HARMLESS = frozenset({"counter", "log", "flow_offload", "dup", "last"})
DESTINATION = dict.fromkeys(("exthdr", "fib", "numgen", "osf", "rt", "xfrm"), 1)
DESTINATION |= dict.fromkeys(("byteorder", "hash", "socket", "tunnel"), 2)
"""Expressions that load what we do not know: the attribute that names the register."""
CONDITIONAL = frozenset({"connlimit", "dynset", "limit", "objref", "quota", "range"})
"""Expressions that load nothing and let the rule go on only sometimes."""
VERDICTS = {DROP: Action.DROP, ACCEPT: Action.ACCEPT, GO_ON: Action.GO_ON, RETURN: Action.RETURN}


def number(found: dict[int, bytes], kind: int) -> int:
    """Take a number of four bytes in network order; one that is not there is 0."""
    return int(BE32.unpack(sized(found, kind, 4))[0]) if kind in found else 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a register holds: *what* by name, of *size* bytes, under *mask* (empty = all)."""

    what: str
    size: int = 0
    mask: bytes = b""


UNKNOWN = Loaded("")


@dataclass(slots=True)
class Program:
    """A rule being read for packets of one family; *never*: it concerns the other family."""

    family: Family
    registers: dict[int, Loaded] = field(default_factory=dict)
    conditions: list[Condition] = field(default_factory=list)
    action: Action | Jump = Action.GO_ON
    unsure: bool = False
    never: bool = False

    def run(self, kind: str, data: dict[int, bytes]) -> None:
        """Take one expression in."""
        if kind in READERS:
            READERS[kind](self, data)
        elif kind in DESTINATION:
            self._load(number(data, DESTINATION[kind]), UNKNOWN)
            self.conditions.append(Unclear())
        elif kind in CONDITIONAL:
            self.conditions.append(Unclear())
        elif kind not in HARMLESS:
            self.registers.clear()
            self.unsure = True

    def _load(self, register: int, loaded: Loaded) -> None:
        self.registers[register] = loaded

    def payload(self, data: dict[int, bytes]) -> None:
        """Load from the packet: dreg 1, base 2, offset 3, length 4; with sreg 5 it writes."""
        at = number(data, 3), number(data, 4)
        what, (offset, size) = "", SOURCE_AT[self.family]
        if number(data, 2) == NETWORK_HEADER:
            if at[0] == offset and 0 < at[1] <= size:
                what = "source"
            elif at == PROTOCOL_AT and self.family == 4:  # noqa: PLR2004 - IPv4
                what = "protocol"
        if 1 in data:
            self._load(number(data, 1), Loaded(what, at[1]))

    def meta(self, data: dict[int, bytes]) -> None:
        """Load what the kernel knows beside the packet: dreg 1, key 2; with sreg 3 it sets."""
        if 1 in data:
            self._load(number(data, 1), Loaded(META.get(number(data, 2), "")))

    def ct(self, data: dict[int, bytes]) -> None:
        """Load what connection tracking knows: dreg 1, key 2; with sreg 4 it sets."""
        if 1 in data:
            what = "tracking" if number(data, 2) == CT_STATE else ""
            self._load(number(data, 1), Loaded(what, 4))

    def bitwise(self, data: dict[int, bytes]) -> None:
        """Mask a register: sreg 1, dreg 2, mask 4, xor 5, operation 6."""
        loaded = self.registers.get(number(data, 1), UNKNOWN)
        plain = number(data, 6) == PLAIN_BITWISE and {BITWISE_MASK, BITWISE_XOR} <= set(data)
        if plain and not loaded.mask and not any(_value(data, BITWISE_XOR)):
            masked = Loaded(loaded.what, loaded.size, _value(data, BITWISE_MASK))
        else:
            masked = UNKNOWN
        self._load(number(data, 2), masked)

    def cmp(self, data: dict[int, bytes]) -> None:
        """Compare a register: sreg 1, operation 2, value 3."""
        loaded = self.registers.get(number(data, 1), UNKNOWN)
        operation, value = number(data, 2), _value(data, 3)
        if operation not in (EQUAL, NOT_EQUAL):
            self.conditions.append(Unclear())
        elif loaded.what == "family" and len(value) == 1 and not loaded.mask:
            same = value[0] == FAMILIES[self.family]
            self.never |= same == (operation == NOT_EQUAL)
        else:
            self.conditions.append(self._compared(loaded, value, unlike=operation == NOT_EQUAL))

    def _compared(self, loaded: Loaded, value: bytes, *, unlike: bool) -> Condition:
        match loaded.what:
            case "source" if len(value) == loaded.size:
                return _source(value, loaded.mask, SOURCE_AT[self.family][1], unlike=unlike)
            case "inbound" | "outbound" if not loaded.mask:
                text, end, _ = value.partition(b"\0")
                name = text.decode("ascii", "backslashreplace")
                return Interface(name, loaded.what == "outbound", not end, unlike)
            case "protocol" if len(value) == 1 and not loaded.mask:
                return Protocol(value[0], unlike)
            case "tracking" if len(value) == loaded.size:
                return _tracked(value, loaded.mask, unlike=unlike)
            case _:
                return Unclear()

    def immediate(self, data: dict[int, bytes]) -> None:
        """Load a constant: dreg 1, data 2; into the verdict register it ends the rule."""
        if number(data, 1) != VERDICT_REGISTER:
            self._load(number(data, 1), UNKNOWN)
            return
        verdict = attributes(sized(attributes(sized(data, 2)), DATA_VERDICT))
        code = int(BE_SIGNED.unpack(sized(verdict, VERDICT_CODE, 4))[0])
        if code in (JUMP, GOTO):
            self.action = Jump(name(verdict, VERDICT_CHAIN), code == JUMP)
        else:
            self.action = VERDICTS.get(code, Action.UNSURE)

    def lookup(self, data: dict[int, bytes]) -> None:
        """Look a register up in a set: sreg 2, dreg 3; a map of verdicts may do anything."""
        self.conditions.append(Unclear())
        if LOOKUP_RESULT in data:
            self.unsure |= number(data, LOOKUP_RESULT) == VERDICT_REGISTER
            self._load(number(data, LOOKUP_RESULT), UNKNOWN)

    def reject(self, _: dict[int, bytes]) -> None:
        """Drop the packet and say so to its sender."""
        self.action = Action.DROP

    def match(self, data: dict[int, bytes]) -> None:
        """Take a match of iptables in: name 1, revision 2, data 3."""
        condition = xtables.condition(name(data, 1), number(data, 2), sized(data, 3))
        if condition is not None:
            self.conditions.append(condition)

    def target(self, data: dict[int, bytes]) -> None:
        """Take a target of iptables in: name 1."""
        self.action = xtables.action(name(data, 1))


READERS: dict[str, Callable[[Program, dict[int, bytes]], None]] = {
    "payload": Program.payload,
    "meta": Program.meta,
    "ct": Program.ct,
    "bitwise": Program.bitwise,
    "cmp": Program.cmp,
    "immediate": Program.immediate,
    "lookup": Program.lookup,
    "reject": Program.reject,
    "match": Program.match,
    "target": Program.target,
}


def decode(family: Family, octets: bytes) -> Rule | None:
    """Read NFTA_RULE_EXPRESSIONS for packets of *family*; None = it concerns the other family.

    Raise MalformedMessage where the attributes cannot be read.
    """
    program = Program(family)
    for kind, element in each_attribute(octets):
        if kind == ELEMENT:
            found = attributes(element)
            program.run(name(found, EXPRESSION_NAME), attributes(found.get(EXPRESSION_DATA, b"")))
    if program.never:
        return None
    action = Action.UNSURE if program.unsure else program.action
    return Rule(tuple(program.conditions), action)


def _value(data: dict[int, bytes], kind: int) -> bytes:
    return sized(attributes(sized(data, kind)), DATA_VALUE)


def _source(value: bytes, mask: bytes, full: int, *, unlike: bool) -> Condition:
    """Read a prefix: the first bytes of *full* and their mask; one with holes is Unclear."""
    behind = 8 * (full - len(value))
    bits = int.from_bytes(mask or b"\xff" * len(value)) << behind
    rest = ((1 << 8 * full) - 1) & ~bits
    if rest & (rest + 1):
        return Unclear()
    first = int.from_bytes(value) << behind & bits
    return Source(first, first | rest, unlike)


def _tracked(value: bytes, mask: bytes, *, unlike: bool) -> Condition:
    """Read `ct state`: a mask that leaves something, or one state alone."""
    state = Tracking(int.from_bytes(value, byteorder))
    if not mask:
        return Tracked(state, unlike) if state else Unclear()
    if state:
        return Unclear()
    return Tracked(Tracking(int.from_bytes(mask, byteorder)), not unlike)
