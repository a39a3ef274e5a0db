from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.health.watching import BAD, GOOD, QUICK, feed, fresh, logged, stands, under

from libra_health.verdict.damping import Damping
from libra_health.verdict.policy import Policy
from libra_health.verdict.ruling import member_of, rule
from libra_health.verdict.stand import Stand
from libra_health.verdict.tally import Tally
from libra_health.verdict.vantage import (
    Ballot,
    Heard,
    Vantage,
    decide,
    heard_of,
    is_minority,
    last,
    spelled_votes,
)

PAIR, THREE = Vantage("a", ("b",)), Vantage("a", ("b", "c"))
ANY = replace(THREE, any_up=True)


@pytest.mark.parametrize(
    ("vantage", "seen", "votes", "up"),
    [
        pytest.param(PAIR, False, {"b": True}, True, id="a tie stays up"),
        pytest.param(PAIR, False, {"b": False}, False, id="a pair agrees"),
        pytest.param(PAIR, True, {"b": False}, True, id="the other one alone"),
        pytest.param(PAIR, False, {}, False, id="a missing vote counts for nothing"),
        pytest.param(replace(PAIR, missing=True), False, {}, True, id="or for up"),
        pytest.param(replace(PAIR, missing=False), True, {}, True, id="or for down, a tie"),
        pytest.param(THREE, False, {"b": True, "c": True}, True, id="outvoted, up"),
        pytest.param(THREE, True, {"b": False, "c": False}, False, id="outvoted, down"),
        pytest.param(replace(THREE, missing=False), True, {}, False, id="two missing for down"),
        pytest.param(ANY, False, {"b": False, "c": True}, True, id="any sees it up"),
        pytest.param(ANY, False, {"b": False, "c": False}, False, id="nobody sees it up"),
        pytest.param(ANY, True, {"b": False, "c": False}, True, id="any, this one"),
        pytest.param(replace(ANY, missing=True), False, {}, True, id="any, missing is up"),
    ],
)
def test_votes_make_a_verdict(
    vantage: Vantage, seen: bool, votes: dict[str, bool], up: bool
) -> None:
    decision = decide(vantage, Heard(tuple(votes.items()), len(votes)), seen=seen)
    assert decision.up is up
    assert decision.votes == (("a", seen), *((peer, votes.get(peer)) for peer in vantage.peers))


NODES = ("b", "c", "d", "e")
VANTAGES = st.builds(
    Vantage,
    st.just("a"),
    st.integers(1, 4).map(lambda n: NODES[:n]),
    any_up=st.booleans(),
    missing=st.sampled_from([None, True, False]),
)
VOTES = st.dictionaries(st.sampled_from(NODES), st.booleans())


@given(VANTAGES, VOTES, st.booleans(), st.sampled_from(("a", *NODES)))
def test_one_more_who_sees_it_up_never_takes_it_out(
    vantage: Vantage, votes: dict[str, bool], seen: bool, turns: str
) -> None:
    def up(votes: dict[str, bool], *, seen: bool) -> bool:
        return decide(vantage, Heard(tuple(votes.items()), len(votes)), seen=seen).up

    if turns == "a":
        assert up(votes, seen=True) >= up(votes, seen=False)
    else:
        assert up(votes | {turns: True}, seen=seen) >= up(votes | {turns: False}, seen=seen)


@given(VANTAGES, st.booleans())
def test_where_all_agree_that_is_the_verdict(vantage: Vantage, seen: bool) -> None:
    votes = tuple((peer, seen) for peer in vantage.peers)
    assert decide(vantage, Heard(votes, len(votes)), seen=seen).up is seen


def test_only_votes_about_the_very_same_count() -> None:
    ballots = {"b": Ballot("other", up=False), "c": Ballot("digest", up=False), "d": None}
    assert heard_of("digest", ballots, 2, THREE) == Heard((("c", False),), 2)


@pytest.mark.parametrize(
    ("peers", "reached", "minority"), [(1, 0, False), (2, 0, True), (2, 1, False), (3, 1, False)]
)
def test_half_of_the_nodes_is_no_minority(peers: int, reached: int, minority: bool) -> None:
    assert is_minority(Vantage("a", NODES[:peers]), Heard((), reached)) is minority


@given(st.lists(st.tuples(st.booleans(), st.none() | st.floats(0, 10))))
def test_a_minority_keeps_exactly_one_where_nobody_else_serves(pool: list[Any]) -> None:
    kept = last(pool)
    stay = [place for place, (serves, failing) in enumerate(pool) if serves and failing is None]
    fails = [(failing, p) for p, (serves, failing) in enumerate(pool) if serves and p not in stay]
    assert kept == (None if stay or not fails else max(fails)[1])


@pytest.mark.parametrize(
    ("vantage", "votes", "words"),
    [
        (
            THREE,
            (("a", False), ("b", False), ("c", True)),
            "2 of 3 nodes see it down, 1 up; the majority decides",
        ),
        (
            replace(ANY, missing=True),
            (("a", False), ("b", None), ("c", None)),
            (
                "1 of 3 nodes see it down, 0 up, 2 did not say, which counts as up;"
                " any that sees it up keeps it"
            ),
        ),
    ],
)
def test_votes_are_told_in_words(
    vantage: Vantage, votes: tuple[tuple[str, bool | None], ...], words: str
) -> None:
    assert spelled_votes(vantage, votes) == words


def voting(vantage: Vantage = THREE, **policy: Any) -> Tally:
    """Take up a backend that was up, of a service that counts votes."""
    watch = under(QUICK, Policy(vantage=vantage, **policy))
    return fresh(watch, logged(Stand(up=True, seen=True), watch))


def hearing(tally: Tally, reached: int = 2, **votes: bool) -> Tally:
    return replace(tally, heard=Heard(tuple(votes.items()), reached))


def test_nothing_is_ruled_until_every_peer_was_heard_of() -> None:
    tally, said = feed(voting(), BAD)
    assert said == []
    assert member_of(tally, 1.0).failing is None
    _, verdict = rule(hearing(tally, b=False, c=True), 1.0)
    assert verdict is not None
    assert verdict.stand == Stand(up=False, seen=False)


def test_a_view_that_moves_no_verdict_is_told_as_a_vote_and_once() -> None:
    tally, said = feed(hearing(voting(), b=True, c=True), BAD, BAD)
    assert stands(said) == [("backend.seen", Stand(up=True, seen=False))]
    tally, verdict = rule(hearing(tally, b=False, c=True), 2.0)
    assert verdict is not None
    assert (verdict.type, verdict.stand) == ("backend.down", Stand(up=False, seen=False))
    assert verdict.votes == (("a", False), ("b", False), ("c", True))
    assert rule(tally, 2.0) == (tally, None)


def test_a_restart_remembers_the_own_view_beside_the_verdict() -> None:
    watch = under(QUICK, Policy(vantage=THREE))
    tally = fresh(watch, logged(Stand(up=True, seen=False), watch))
    assert rule(hearing(tally, b=True, c=True), 0.0)[1] is None
    _, verdict = rule(hearing(tally, b=False, c=True), 0.0)
    assert verdict is not None
    assert not verdict.stand.up


def test_the_last_one_is_kept_by_a_node_that_reaches_too_few() -> None:
    tally, _ = feed(hearing(voting(), reached=0), GOOD)
    tally, _ = feed(replace(tally, heard=None), BAD)
    _, verdict = rule(hearing(tally, reached=0), 1.0, is_last=True)
    assert verdict is not None
    assert (verdict.type, verdict.is_last) == ("backend.held", True)
    assert verdict.stand == Stand(up=True, held=True, weight=1, seen=False)


def test_a_backend_that_damping_holds_has_a_vote_for_down() -> None:
    limits = Damping(2, 60.0, 60.0)
    tally, said = feed(hearing(voting(damping=limits), b=True, c=True), BAD, GOOD, GOOD)
    assert stands(said) == [("backend.seen", Stand(up=True, seen=False))]
    assert said[0].hold is None
    assert tally.course.flaps.is_held


def test_without_votes_a_services_own_view_is_its_verdict() -> None:
    _, said = feed(fresh(QUICK), GOOD, BAD)
    assert stands(said) == [("backend.up", Stand(up=True)), ("backend.down", Stand(up=False))]
    assert [verdict.votes for verdict in said] == [(), ()]
