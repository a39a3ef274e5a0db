"""The tether to one node: who connects when, which connection counts, and whose end does."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.tether import peer
from libra_vrrp.tether.channel import Greeted, Noted, Told, Word
from libra_vrrp.tether.dealings import (
    Bereave,
    Close,
    Connected,
    Dial,
    Effect,
    Elapsed,
    Ended,
    HangUp,
    Heard,
    Input,
    Introduce,
    Note,
    Settle,
    Unconnected,
)
from libra_vrrp.tether.ending import Attempt, Ending
from libra_vrrp.tether.message import Bye, Reason, Standing
from libra_vrrp.tether.peer import (
    CALM,
    DIALLING,
    DOUBT,
    GREETING,
    LINES,
    LONGEST,
    SECOND,
    Peer,
    begin,
    deadline,
)

NOW = 1000.0
FRONT, BACK = b"main", b"back"
STANDING = Standing(150, IPv4Address("10.0.0.1"))
NEVER = float("inf")


@dataclass
class Tether:
    """A peer under a clock of our own, with what was done."""

    peer: Peer
    now: float = NOW
    done: list[Effect] = field(default_factory=list)

    def give(self, given: Input, dice: float = 0.5) -> tuple[Effect, ...]:
        self.peer, effects = peer.step(self.peer, given, self.now, dice)
        self.done += effects
        return effects

    def hear(self, number: int, word: Word) -> tuple[Effect, ...]:
        assert isinstance(word, Greeted | Told | Noted)
        return self.give(Heard(number, word))

    def wait(self, seconds: float) -> tuple[Effect, ...]:
        """Let time pass, and everything that is due happen."""
        until, done = self.now + seconds, len(self.done)
        while deadline(self.peer) <= until:
            self.now = max(self.now, deadline(self.peer))
            self.give(Elapsed())
        self.now = until
        return tuple(self.done[done:])

    def end(self, number: int) -> tuple[Effect, ...]:
        """Have a connection closed by a node where nobody listens any more."""
        assert self.give(Ended(number, Ending.FIN)) == (Dial(),)
        return self.give(Unconnected(Attempt.REFUSED))

    def tie(self, number: int, *, is_ours: bool = False) -> None:
        """Bring a connection to the point where its end counts."""
        self.give(Connected(number, is_ours))
        self.hear(number, Greeted())
        self.hear(number, Told(FRONT, STANDING))


@pytest.fixture
def tether() -> Tether:
    """Return the tether of the one who is connected to."""
    return Tether(begin(NOW, connects_first=False))


@pytest.fixture
def caller() -> Tether:
    """Return the tether of the one who connects."""
    return Tether(begin(NOW, connects_first=True))


def test_one_connects_at_once_and_the_other_leaves_it_to_him(
    caller: Tether, tether: Tether
) -> None:
    assert caller.give(Elapsed()) == (Dial(),)
    assert tether.wait(SECOND - 0.01) == ()
    assert tether.wait(0.01) == (Dial(),)


def test_a_connection_is_greeted_held_said_and_noted_once(tether: Tether) -> None:
    assert tether.give(Connected(1, is_ours=False)) == ()
    assert tether.hear(1, Greeted()) == (Introduce(1),)
    assert tether.peer.standings == {}
    assert tether.hear(1, Told(FRONT, STANDING)) == (Note(1),)
    assert tether.hear(1, Told(BACK, STANDING)) == ()
    assert tether.hear(1, Noted()) == (Settle(1),)
    assert tether.peer.standings == {FRONT: STANDING, BACK: STANDING}
    assert tether.wait(3600) == ()


def test_the_end_of_a_node_that_said_how_it_stands_is_its_death(tether: Tether) -> None:
    tether.tie(1)
    assert tether.end(1) == (Bereave({FRONT: STANDING}),)
    assert tether.peer.standings == {}


def test_an_end_after_a_bye_is_none(tether: Tether) -> None:
    tether.tie(1)
    tether.hear(1, Told(BACK, STANDING))
    tether.hear(1, Told(FRONT, Bye(1)))
    assert tether.end(1) == (Bereave({BACK: STANDING}),)
    tether.tie(2)
    tether.now += CALM
    tether.hear(2, Told(FRONT, Bye(1)))
    assert tether.give(Ended(2, Ending.FIN)) == ()


def test_an_end_without_a_word_before_is_none(tether: Tether) -> None:
    tether.give(Connected(1, is_ours=False))
    tether.hear(1, Greeted())
    assert tether.give(Ended(1, Ending.FIN)) == ()


def test_a_connection_that_is_lost_is_no_death(tether: Tether) -> None:
    tether.tie(1)
    assert tether.give(Ended(1, Ending.LOST)) == ()
    assert tether.wait(10)[0] == Dial()


BY_THE_OTHER = pytest.mark.parametrize("ending", [Ending.FIN, Ending.RST])


@BY_THE_OTHER
def test_an_end_counts_where_a_reconnect_is_refused_in_time(tether: Tether, ending: Ending) -> None:
    tether.tie(1)
    assert tether.give(Ended(1, ending)) == (Dial(),)
    tether.now += DOUBT / 2
    assert tether.give(Unconnected(Attempt.REFUSED)) == (Bereave({FRONT: STANDING}),)


@BY_THE_OTHER
def test_an_end_does_not_count_where_somebody_listens(tether: Tether, ending: Ending) -> None:
    """So whoever can connect from a node's address alone, and say how it stands, gains nothing."""
    tether.tie(1)
    tether.give(Ended(1, ending))
    tether.give(Connected(2, is_ours=True))
    tether.hear(2, Greeted())
    tether.wait(60)
    assert tether.give(Unconnected(Attempt.REFUSED)) == ()
    assert not any(isinstance(one, Bereave) for one in tether.done)


@pytest.mark.parametrize(
    ("attempt", "after"),
    [(Attempt.REFUSED, DOUBT), (Attempt.REFUSED, DOUBT + 1), (Attempt.FAILED, 0.0)],
)
@BY_THE_OTHER
def test_an_end_does_not_count_where_the_refusal_is_late_or_nobodys_word(
    tether: Tether, attempt: Attempt, after: float, ending: Ending
) -> None:
    tether.tie(1)
    tether.give(Ended(1, ending))
    tether.wait(after)
    assert tether.give(Unconnected(attempt)) == ()
    tether.wait(60)
    assert not any(isinstance(one, Bereave) for one in tether.done)


def test_a_refusal_that_we_ourselves_read_late_counts(tether: Tether) -> None:
    tether.tie(1)
    tether.give(Ended(1, Ending.FIN))
    tether.now += DOUBT + 1
    assert tether.give(Unconnected(Attempt.REFUSED)) == (Bereave({FRONT: STANDING}),)


def test_who_accepts_while_its_process_ends_is_asked_again(tether: Tether) -> None:
    """The kernel closes a dead process's sockets one after the other."""
    tether.tie(1)
    tether.give(Ended(1, Ending.FIN))
    assert tether.give(Connected(2, is_ours=True)) == ()
    assert tether.give(Ended(2, Ending.RST)) == (Dial(),)
    assert tether.give(Unconnected(Attempt.REFUSED)) == (Bereave({FRONT: STANDING}),)


def test_while_it_is_asked_already_it_is_not_asked_again(tether: Tether) -> None:
    tether.tie(1)
    tether.give(Connected(2, is_ours=False))
    assert tether.give(Ended(1, Ending.FIN)) == (Dial(),)
    assert tether.give(Ended(2, Ending.FIN)) == ()


def test_doubt_ends_by_itself(tether: Tether) -> None:
    tether.tie(1)
    tether.give(Ended(1, Ending.RST))
    assert tether.wait(DOUBT) == ()
    assert tether.peer.doubt is None
    assert tether.give(Unconnected(Attempt.REFUSED)) == ()


def test_while_an_end_is_in_doubt_another_connection_changes_nothing(tether: Tether) -> None:
    tether.tie(1)
    tether.give(Ended(1, Ending.RST))
    tether.give(Connected(2, is_ours=False))
    assert tether.hear(2, Greeted()) == (Introduce(2),)
    assert tether.give(Unconnected(Attempt.REFUSED)) == (Bereave({FRONT: STANDING}),)


def test_who_died_a_moment_ago_does_not_die_again(tether: Tether) -> None:
    """Who can forge an end makes two masters for a moment, once in a while at most."""
    tether.tie(1)
    tether.end(1)
    tether.tie(2)
    tether.now += CALM / 2
    assert tether.give(Ended(2, Ending.FIN)) == ()
    tether.tie(3)
    assert tether.give(Ended(3, Ending.RST)) == ()
    tether.tie(4)
    tether.now += CALM
    assert tether.end(4) == (Bereave({FRONT: STANDING}),)


def test_a_newer_connection_takes_the_place_of_the_older_ones(tether: Tether) -> None:
    tether.tie(1)
    tether.give(Connected(2, is_ours=False))
    assert tether.hear(2, Greeted()) == (Introduce(2),)
    assert tether.peer.standings == {FRONT: STANDING}
    assert tether.hear(2, Told(BACK, STANDING)) == (Note(2), Close(1, Reason.REPLACED))
    assert tether.peer.standings == {BACK: STANDING}


def test_the_end_of_the_older_one_still_counts_before_the_newer_has_said_anything(
    tether: Tether,
) -> None:
    tether.tie(1)
    tether.give(Connected(2, is_ours=False))
    tether.hear(2, Greeted())
    assert tether.end(1) == (Bereave({FRONT: STANDING}),)


def test_a_late_word_on_an_older_connection_ends_no_newer_one(tether: Tether) -> None:
    for number in (1, 2):
        tether.give(Connected(number, is_ours=False))
        tether.hear(number, Greeted())
    assert tether.hear(1, Told(FRONT, STANDING)) == (Note(1),)
    assert tether.hear(2, Told(FRONT, STANDING)) == (Note(2), Close(1, Reason.REPLACED))


def test_who_is_greeted_while_it_connects_connects_no_more(caller: Tether) -> None:
    caller.give(Elapsed())
    caller.give(Connected(1, is_ours=False))
    assert caller.hear(1, Greeted()) == (HangUp(), Introduce(1))
    assert caller.wait(3600) == ()


def test_a_connection_that_does_not_greet_is_closed_and_another_is_tried(caller: Tether) -> None:
    caller.give(Elapsed())
    caller.give(Connected(1, is_ours=True))
    assert caller.wait(GREETING) == (Close(1, Reason.UNUSABLE),)
    assert caller.wait(1) == (Dial(),)


def test_a_mute_connection_beside_one_that_greeted_is_closed_and_nothing_else(
    tether: Tether,
) -> None:
    tether.tie(1)
    tether.give(Connected(2, is_ours=False))
    assert tether.wait(3600) == (Close(2, Reason.UNUSABLE),)


def test_connecting_that_takes_too_long_is_given_up(caller: Tether) -> None:
    caller.give(Elapsed())
    assert caller.wait(DIALLING) == (HangUp(),)
    assert caller.wait(1) == (Dial(),)


def test_a_node_that_cannot_be_reached_is_tried_ever_more_seldom(caller: Tether) -> None:
    pauses = []
    for _ in range(12):
        caller.wait(deadline(caller.peer) - caller.now)
        began = caller.now
        caller.give(Unconnected(Attempt.FAILED))
        pauses.append(round(deadline(caller.peer) - began, 6))
    assert pauses == sorted(pauses)
    assert pauses[0] <= 0.1
    assert LONGEST / 2 <= pauses[-1] <= LONGEST


@given(st.floats(0, 1), st.integers(0, 5000))
def test_a_pause_has_bounds_whatever_the_dice(dice: float, failures: int) -> None:
    for connects_first in (True, False):
        before = Peer(connects_first, NEVER, NOW, failures)
        after, _ = peer.step(before, Unconnected(Attempt.REFUSED), NOW, dice)
        assert 0.049 <= after.dial_at - NOW <= LONGEST + 1


def test_of_too_many_connections_those_that_said_nothing_go_first(tether: Tether) -> None:
    tether.tie(1)
    for number in range(2, LINES + 1):
        assert tether.give(Connected(number, is_ours=False)) == ()
    assert tether.give(Connected(9, is_ours=False)) == (Close(2, Reason.UNUSABLE),)
    assert len(tether.peer.lines) == LINES
    assert tether.end(1) == (Bereave({FRONT: STANDING}),)


INPUTS = st.one_of(
    st.builds(Connected, st.just(0), st.booleans()),
    st.builds(Unconnected, st.sampled_from(Attempt)),
    st.builds(
        Heard,
        st.integers(0, 9),
        st.sampled_from([Greeted(), Noted(), Told(FRONT, STANDING), Told(FRONT, Bye(1))]),
    ),
    st.builds(Ended, st.integers(0, 9), st.sampled_from(Ending)),
    st.just(Elapsed()),
)


@given(st.lists(st.tuples(INPUTS, st.floats(0, 4)), max_size=60))
def test_whatever_happens_there_is_a_way_back_and_deaths_are_seldom(
    happened: list[tuple[Input, float]],
) -> None:
    tether, number, deaths = Tether(begin(NOW, connects_first=True)), 0, []
    for given_, seconds in happened:
        what = given_
        if isinstance(what, Connected):
            number += 1
            what = Connected(number, what.is_ours)
        elif isinstance(what, Heard | Ended) and what.number not in tether.peer.lines:
            continue
        if any(isinstance(one, Bereave) for one in tether.give(what)):
            deaths.append(tether.now)
        tether.wait(seconds)
    assert all(later - one >= CALM for one, later in pairwise(deaths))
    assert len(tether.peer.lines) <= LINES
    for one in list(tether.peer.lines):
        tether.give(Ended(one, Ending.LOST))
    assert Dial() in tether.wait(LONGEST + DIALLING + GREETING + 1)
