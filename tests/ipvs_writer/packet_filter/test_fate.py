"""The fate of answers: certain where it is said, whatever the unclear turns out to be."""

import random
from collections.abc import Callable, Mapping
from itertools import chain, repeat
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ipvs_writer.packet_filter.fate import STEPS, Answer, Answers, Fate, judge, may_drop
from libra_ipvs_writer.packet_filter.rules import (
    Action,
    Base,
    Condition,
    Interface,
    Jump,
    Policy,
    Protocol,
    Rule,
    Source,
    Tracked,
    Tracking,
    Unclear,
    UnreadableRules,
)

TCP, UDP = 6, 17
ACCEPT: Final = Action.ACCEPT
DROP: Final = Action.DROP
OWN = Answer(0x0A00010B, "eth1", TCP)
OUT = Interface("eth0", out=True)
OURS = Source(0x0A000100, 0x0A0001FF)
UNTRACKED = Tracking.INVALID | Tracking.NEW | Tracking.UNTRACKED


def base(chains: Mapping[str, tuple[Rule, ...]], policy: Policy = DROP, priority: int = 0) -> Base:
    return Base("legacy", "ip", "filter", "FORWARD", policy, priority, chains)


def forward(*rules: Rule, policy: Policy = DROP) -> Base:
    return base({"FORWARD": rules}, policy)


def answers(*each: Answer, out: tuple[str, ...] = ("eth0",)) -> Answers:
    return Answers(each or (OWN,), frozenset(out), UNTRACKED)


def fate(*bases: Base, of: Answers | None = None) -> Fate:
    return judge(bases, of or answers())[0].fate


ESTABLISHED = Tracked(Tracking.ESTABLISHED | Tracking.RELATED)
DOCKER = {
    "FORWARD": (
        Rule((), Jump("DOCKER-USER")),
        Rule((), Jump("DOCKER-FORWARD")),
    ),
    "DOCKER-USER": (Rule((), Action.RETURN),),
    "DOCKER-FORWARD": (
        Rule((), Jump("DOCKER-CT")),
        Rule((Interface("docker0"), Interface("docker0", out=True, negated=True)), Jump("STAGE-2")),
        Rule((Interface("docker0", out=True),), Jump("DOCKER")),
        Rule((Unclear(), ESTABLISHED), ACCEPT),
        Rule((Interface("docker0"),), ACCEPT),
    ),
    "DOCKER-CT": (Rule((Interface("docker0", out=True), ESTABLISHED), ACCEPT),),
    "DOCKER": (Rule((Unclear(), Protocol(TCP)), ACCEPT),),
    "STAGE-2": (),
}


@pytest.mark.parametrize(
    ("rules", "policy", "expected"),
    [
        pytest.param((), DROP, "dropped", id="the policy drops"),
        pytest.param((), ACCEPT, "passes", id="the policy accepts"),
        pytest.param((Rule((OURS,), ACCEPT),), DROP, "passes", id="its network"),
        pytest.param((Rule((Source(0, 1),), ACCEPT),), DROP, "dropped", id="another network"),
        pytest.param((Rule((Source(0, 1, negated=True),), DROP),), ACCEPT, "dropped", id="any but"),
        pytest.param((Rule((Interface("eth1"),), ACCEPT),), DROP, "passes", id="in there"),
        pytest.param((Rule((Interface("eth+"),), ACCEPT),), DROP, "dropped", id="in elsewhere"),
        pytest.param((Rule((OUT,), ACCEPT),), DROP, "passes", id="out there"),
        pytest.param((Rule((Protocol(UDP),), ACCEPT),), DROP, "dropped", id="another protocol"),
        pytest.param((Rule((ESTABLISHED,), ACCEPT),), DROP, "dropped", id="nothing is established"),
        pytest.param((Rule((Tracked(UNTRACKED),), ACCEPT),), DROP, "passes", id="whatever it is"),
        pytest.param((Rule((Tracked(Tracking.NEW),), ACCEPT),), DROP, "unknown", id="may be new"),
        pytest.param((Rule((Unclear(),), ACCEPT),), DROP, "unknown", id="may pass"),
        pytest.param((Rule((Unclear(),), DROP),), ACCEPT, "unknown", id="may be dropped"),
        pytest.param((Rule((Unclear(),), DROP),), DROP, "dropped", id="is dropped here or there"),
        pytest.param((Rule((), Action.UNSURE),), DROP, "unknown", id="a target nobody knows"),
        pytest.param((Rule((), Action.GO_ON),), DROP, "dropped", id="a target that logs"),
        pytest.param((Rule((), Action.RETURN), Rule((), ACCEPT)), DROP, "dropped", id="the end"),
    ],
)  # fmt: skip
def test_one_chain(rules: tuple[Rule, ...], policy: Policy, expected: Fate) -> None:
    assert fate(forward(*rules, policy=policy)) == expected


def test_a_stock_docker_host_drops_answers_and_its_own_chain_lets_them_pass() -> None:
    assert fate(base(DOCKER)) == "dropped"
    mended = (Rule((OURS,), ACCEPT), *DOCKER["DOCKER-USER"])
    assert fate(base({**DOCKER, "DOCKER-USER": mended})) == "passes"


def test_a_goto_does_not_come_back() -> None:
    rules = (Rule((), Jump("other", returns=False)), Rule((), ACCEPT))
    assert fate(base({"FORWARD": rules, "other": ()})) == "dropped"
    rules = (Rule((), Jump("other")), Rule((), ACCEPT))
    assert fate(base({"FORWARD": rules, "other": ()})) == "passes"


def test_what_one_chain_accepts_a_later_one_may_drop() -> None:
    early, late = base({"FORWARD": ()}, ACCEPT, -5), base({"FORWARD": ()}, DROP, 10)
    verdict = judge([late, early], answers())[0]
    assert (verdict.fate, verdict.base) == ("dropped", late)
    assert judge([late, forward()], answers())[0].base is not late


def test_behind_ipvs_the_source_is_the_virtual_address_and_nothing_is_said() -> None:
    assert fate(base({"FORWARD": ()}, DROP, 100)) == "passes"


def test_each_answer_has_its_own_fate_in_the_order_given() -> None:
    rules = (Rule((Source(5, 9),), ACCEPT), Rule((Interface("eth2"), Protocol(UDP)), ACCEPT))
    each = (
        Answer(9, "eth1", TCP),
        Answer(3, "eth2", UDP),
        Answer(4, None, UDP),
        Answer(4, "eth2", None),
        Answer(4, "eth2", TCP),
    )
    found = [verdict.fate for verdict in judge([forward(*rules)], answers(*each))]
    assert found == ["passes", "passes", "unknown", "unknown", "dropped"]


def test_a_rule_for_one_of_the_ways_out_is_unclear() -> None:
    rule = Rule((OUT,), ACCEPT)
    assert fate(forward(rule), of=answers(out=("eth0", "eth2"))) == "unknown"
    assert fate(forward(rule), of=answers(out=())) == "unknown"


def test_a_filter_without_a_drop_needs_no_look() -> None:
    assert may_drop(forward())
    assert may_drop(forward(Rule((), DROP), policy=ACCEPT))
    assert not may_drop(forward(Rule((), Action.UNSURE), policy=ACCEPT))


def test_chains_that_cannot_be_followed_to_their_end_are_refused() -> None:
    with pytest.raises(UnreadableRules, match="not there"):
        judge([forward(Rule((), Jump("nowhere")))], answers())
    with pytest.raises(UnreadableRules, match="too deep"):
        judge([forward(Rule((), Jump("FORWARD")))], answers())
    twice = {f"{at}": (Rule((), Jump(f"{at + 1}")),) * 2 for at in range(40)} | {"40": ()}
    with pytest.raises(UnreadableRules, match="too many"):
        judge([base({"FORWARD": (Rule((), Jump("0")),), **twice})], answers())


def test_ten_thousand_rules_and_thousands_of_servers_are_one_walk() -> None:
    rules = tuple(Rule((Source(at, at),), ACCEPT) for at in range(10_000))
    each = tuple(Answer(at * 3, "eth1", TCP) for at in range(5_000))
    assert len(rules) < STEPS
    found = [verdict.fate for verdict in judge([forward(*rules)], answers(*each))]
    assert found == list(chain(repeat("passes", 3334), repeat("dropped", 1666)))


CHAINS = ("FORWARD", "one", "two")
conditions: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Unclear),
    st.builds(Source, st.integers(0, 3), st.integers(0, 3), st.booleans()),
    st.builds(Interface, st.sampled_from(["eth1", "eth0", "e"]), st.booleans(), st.booleans(),
              st.booleans()),
    st.builds(Protocol, st.sampled_from([TCP, UDP]), st.booleans()),
    st.builds(Tracked, st.sampled_from([*Tracking, UNTRACKED]), st.booleans()),
)  # fmt: skip


def rules(*targets: str) -> st.SearchStrategy[tuple[Rule, ...]]:
    actions: st.SearchStrategy[Action | Jump] = st.sampled_from(list(Action))
    if targets:
        actions |= st.builds(Jump, st.sampled_from(targets), st.booleans())
    rule = st.builds(Rule, st.lists(conditions, max_size=2).map(tuple), actions)
    return st.lists(rule, max_size=4).map(tuple)


filters = st.builds(
    base,
    st.fixed_dictionaries({"FORWARD": rules("one", "two"), "one": rules("two"), "two": rules()}),
    st.sampled_from([ACCEPT, DROP]),
    st.integers(-2, 2),
)


class Packet:
    """One packet that meets the rules one by one, as in the kernel; what is unclear is thrown."""

    def __init__(self, answer: Answer, out: str, state: Tracking, toss: Callable[[], bool]) -> None:
        self.answer, self.out, self.state, self.toss = answer, out, state, toss

    def passes(self, bases: list[Base]) -> bool:
        ends = (self._end(each) for each in sorted(bases, key=lambda each: each.priority))
        return all(end is ACCEPT for end in ends)

    def _end(self, base: Base) -> Action:
        end = self._through(base, "FORWARD")
        return base.policy if end is Action.RETURN else end

    def _through(self, base: Base, chain: str) -> Action:
        for rule in base.chains[chain]:
            if all(self._holds(condition) for condition in rule.conditions):
                end = self._act(base, rule.action)
                if end is not Action.GO_ON:
                    return end
        return Action.RETURN

    def _act(self, base: Base, action: Action | Jump) -> Action:
        if isinstance(action, Jump):
            end = self._through(base, action.chain)
            return Action.GO_ON if end is Action.RETURN and action.returns else end
        if action is Action.UNSURE:
            return ACCEPT if self.toss() else DROP if self.toss() else Action.GO_ON
        return action

    def _holds(self, condition: Condition) -> bool:
        match condition:
            case Source():
                held = condition.first <= self.answer.source <= condition.last
            case Interface():
                held = condition.fits(self.out if condition.out else self.answer.inbound or "")
            case Protocol():
                held = condition.number == self.answer.protocol
            case Tracked():
                held = bool(self.state & condition.states)
            case Unclear():
                return self.toss()
        return held is not condition.negated


@given(
    st.lists(filters, min_size=1, max_size=3),
    st.builds(Answer, st.integers(0, 3), st.sampled_from(["eth1", "eth2"]), st.just(TCP)),
    st.integers(),
)
def test_what_is_said_is_what_a_packet_meets(bases: list[Base], answer: Answer, seed: int) -> None:
    said = judge(bases, Answers((answer,), frozenset({"eth0", "eth3"}), UNTRACKED))[0].fate
    dice = random.Random(seed)
    for _ in range(20):
        out, state = dice.choice(["eth0", "eth3"]), dice.choice(list(UNTRACKED))
        passes = Packet(answer, out, state, lambda: dice.random() < 0.5).passes(bases)
        assert said in ("unknown", "passes" if passes else "dropped")
