"""Rules of nf_tables out of their expressions: golden bytes of Linux 6.18, then made ones."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ipvs_writer.packet_filter.golden import NF_TABLES

from libra_ipvs_writer.netlink import MalformedMessage, attribute, nested
from libra_ipvs_writer.packet_filter.expressions import decode
from libra_ipvs_writer.packet_filter.nft import Place, programs
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

COMPAT = programs(Place(2, "filter"), NF_TABLES["rule"])
INET = programs(Place(1, "f"), NF_TABLES["rule"])
DOCKER0, OUT = Interface("docker0"), Interface("docker0", out=True)
HALF = int.from_bytes(bytes.fromhex("20010db8")) << 96
ESTABLISHED = Tracked(Tracking.ESTABLISHED | Tracking.RELATED)


def four(value: int) -> bytes:
    return pack(">I", value)


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ("FORWARD", [
            Rule((), Jump("DOCKER-USER")),
            Rule((OUT, ESTABLISHED), Action.ACCEPT),
            Rule((DOCKER0, Interface("docker0", out=True, negated=True)), Action.ACCEPT),
            Rule((Interface("br-", prefix=True), Protocol(6), Source(0x0A090000, 0x0A090FFF)),
                 Action.GO_ON),
            Rule((Tracked(Tracking.INVALID | Tracking.UNTRACKED, negated=True),), Action.DROP),
            Rule((Unclear(),), Action.ACCEPT),
            Rule((Protocol(17, negated=True), Source(0x0A070000, 0x0A07FFFF, negated=True)),
                 Jump("DOCKER-USER", returns=False)),
        ]),
        ("DOCKER-USER", [
            Rule((Source(0x0A000100, 0x0A0001FF),), Action.ACCEPT),
            Rule((), Action.RETURN),
        ]),
    ],
)  # fmt: skip
def test_what_iptables_made_is_read(chain: str, expected: list[Rule]) -> None:
    assert [decode(4, each) for each in COMPAT[chain]] == expected


def test_what_nft_made_is_read_for_each_family() -> None:
    both = [
        Rule((ESTABLISHED,), Action.ACCEPT),
        Rule((Tracked(Tracking.UNTRACKED),), Action.ACCEPT),
        Rule((Tracked(Tracking.NEW, negated=True),), Jump("deep")),
        Rule((Unclear(),), Action.UNSURE),
    ]
    last = Rule((Interface("eth0", out=True, negated=True), Unclear()), Action.ACCEPT)
    assert [decode(4, each) for each in INET["forw"]] == [
        *both,
        Rule((Source(0x0A000000, 0x0A7FFFFF), Interface("eth", prefix=True)), Action.ACCEPT),
        None,
        Rule((Unclear(), Protocol(6), Unclear()), Action.ACCEPT),
        last,
    ]
    assert [decode(6, each) for each in INET["forw"]] == [
        *both,
        None,
        Rule((Source(HALF, HALF | (1 << 95) - 1), Protocol(6)), Action.DROP),
        None,
        last,
    ]


def test_what_sets_a_mark_is_no_condition() -> None:
    found = [decode(4, each) for each in INET["deep"]]
    assert found == [Rule((Protocol(17),), Action.RETURN), Rule((), Action.DROP)]


def program(*expressions: tuple[str, bytes]) -> bytes:
    parts = (
        nested(1, attribute(1, name.encode() + b"\0"), nested(2, data))
        for name, data in expressions
    )
    return b"".join(parts)


def cmp(value: bytes, operation: int = 0) -> tuple[str, bytes]:
    data = nested(3, attribute(1, value))
    return "cmp", attribute(1, four(1)) + attribute(2, four(operation)) + data


def load(name: str, key: int) -> tuple[str, bytes]:
    return name, attribute(1, four(1)) + attribute(2, four(key))


def mask(value: bytes, flip: bytes) -> tuple[str, bytes]:
    pair = attribute(1, four(1)) + attribute(2, four(1))
    return "bitwise", pair + nested(4, attribute(1, value)) + nested(5, attribute(1, flip))


def payload(base: int, offset: int, size: int) -> tuple[str, bytes]:
    numbers = enumerate((1, base, offset, size), 1)
    return "payload", b"".join(attribute(kind, four(number)) for kind, number in numbers)


STATE = load("ct", 0)
HOST = pack("=I", 6)


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        pytest.param([payload(1, 9, 1), cmp(b"\x06")], Protocol(6), id="the protocol's byte"),
        pytest.param([payload(2, 0, 2), cmp(b"\0\x50")], Unclear(), id="a port"),
        pytest.param([payload(1, 16, 4), cmp(bytes(4))], Unclear(), id="the destination"),
        pytest.param([load("meta", 3), cmp(bytes(4))], Unclear(), id="a mark"),
        pytest.param([load("ct", 1), cmp(bytes(4))], Unclear(), id="ct direction"),
        pytest.param([load("meta", 16), cmp(b"\x06", 2)], Unclear(), id="less than"),
        pytest.param([cmp(b"\x06")], Unclear(), id="nothing was loaded"),
        pytest.param([STATE, mask(HOST, HOST), cmp(bytes(4), 1)], Unclear(), id="xor"),
        pytest.param([STATE, mask(HOST, bytes(4)), cmp(HOST, 1)], Unclear(), id="both states"),
        pytest.param([STATE, cmp(bytes(4))], Unclear(), id="no state"),
        pytest.param([STATE, mask(HOST, bytes(4)), cmp(bytes(4))],
                     Tracked(Tracking.ESTABLISHED | Tracking.RELATED, negated=True), id="neither"),
    ],
)  # fmt: skip
def test_a_comparison(expressions: list[tuple[str, bytes]], expected: Condition) -> None:
    assert decode(4, program(*expressions)) == Rule((expected,), Action.GO_ON)


def test_a_map_of_marks_is_a_condition_and_what_is_not_known_is_unsure() -> None:
    lookup = "lookup", attribute(2, four(1)) + attribute(3, four(1))
    assert decode(4, program(lookup)) == Rule((Unclear(),), Action.GO_ON)
    assert decode(4, program(("synproxy", b""))) == Rule((), Action.UNSURE)
    constant = "immediate", attribute(1, four(1)) + nested(2, attribute(1, bytes(4)))
    assert decode(4, program(constant, cmp(bytes(4)))) == Rule((Unclear(),), Action.GO_ON)
    assert decode(4, attribute(9, b"")) == Rule((), Action.GO_ON)


SOURCE, OTHER = payload(1, 12, 4), attribute(1, four(2))
LOADS = OTHER + attribute(2, four(1))


@pytest.mark.parametrize(
    ("expression", "action"),
    [
        *((("hash", LOADS), Action.GO_ON), (("byteorder", LOADS), Action.GO_ON)),
        *((("socket", LOADS), Action.GO_ON), (("tunnel", LOADS), Action.GO_ON)),
        *((load("numgen", 2), Action.GO_ON), (load("fib", 2), Action.GO_ON)),
        (("inner", nested(5, attribute(1, b"payload\0"))), Action.UNSURE),
        (("unheard", b""), Action.UNSURE),
    ],
)
def test_what_was_loaded_is_forgotten_where_something_else_is(
    expression: tuple[str, bytes], action: Action
) -> None:
    rule = decode(4, program(SOURCE, expression, cmp(bytes(4))))
    assert rule is not None
    assert (set(rule.conditions), rule.action) == ({Unclear()}, action)


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param(("dynset", attribute(1, b"a\0")), id="a set called a"),
        pytest.param(("limit", attribute(1, bytes(8))), id="a limit"),
        pytest.param(("range", load("range", 0)[1]), id="a range"),
        pytest.param(("objref", attribute(2, b"name\0")), id="an object"),
    ],
)
def test_what_loads_nothing_leaves_what_was_loaded(expression: tuple[str, bytes]) -> None:
    expected = Rule((Unclear(), Source(0x0A000001, 0x0A000001)), Action.GO_ON)
    assert decode(4, program(SOURCE, expression, cmp(bytes((10, 0, 0, 1))))) == expected


def test_what_is_written_into_a_packet_is_no_condition() -> None:
    writes = "payload", attribute(5, four(1)) + attribute(2, four(1))
    assert decode(4, program(writes)) == Rule((), Action.GO_ON)


def test_a_queue_is_unsure() -> None:
    verdict = nested(2, nested(2, attribute(1, four(3))))
    assert decode(4, program(("immediate", attribute(1, four(0)) + verdict))) == Rule(
        (), Action.UNSURE
    )


@given(st.sampled_from([4, 6]), st.binary(max_size=300))
def test_any_bytes_are_a_rule_or_malformed(family: Family, octets: bytes) -> None:
    try:
        rule = decode(family, octets)
    except MalformedMessage:
        return
    assert rule is None or isinstance(rule, Rule)
