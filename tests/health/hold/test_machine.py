"""A hold's machine: what ends a connection, and what becomes of it."""

import errno
from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.hold.machine import (
    AGAIN,
    HURRY,
    LACKING,
    LONGEST,
    PATIENCE,
    PAUSE,
    SETTLED,
    TALK,
    start,
    step,
)
from libra_health.hold.words import (
    TRIES,
    Condemn,
    Due,
    Effect,
    GiveWay,
    HangUp,
    Hold,
    Hurry,
    Input,
    Phase,
    Probed,
)
from libra_health.wire import (
    Connect,
    Connected,
    DeadlineReached,
    Ended,
    Receive,
    Received,
    Refused,
    Target,
    Unasked,
)

TARGET = Target("192.0.2.1", 80)
HOLD = Hold(TARGET, 2.0)
DIAL = Connect(TARGET, abort=True)
UP, END, DUE = Connected(), Ended(), Due()
NO = Refused(errno.ECONNREFUSED, immediate=False)
RESET = Refused(errno.ECONNRESET, immediate=False)
LATE = Refused(errno.ETIMEDOUT, immediate=False)
UNREACHABLE = Refused(errno.EHOSTUNREACH, immediate=False)
FULL = Refused(errno.EMFILE, immediate=True)


@dataclass
class World:
    """A hold and its clock; `said`: all that it asked for, and when."""

    hold: Hold = HOLD
    now: float = 100.0
    said: list[tuple[float, Effect]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.held = start(self.now, 0.5)

    def tell(self, *events: Input, after: float = 0.0) -> tuple[Effect, ...]:
        """Tell it, each `after` seconds after the one before; return what it asked for last."""
        effects: tuple[Effect, ...] = ()
        for event in events:
            self.now += after
            self.held, effects = step(self.hold, self.held, event, self.now)
            self.said += [(self.now, effect) for effect in effects]
        return effects

    def due(self) -> tuple[Effect, ...]:
        """Let the time come that it waits for."""
        assert self.held.due < inf
        self.now = max(self.now, self.held.due)
        return self.tell(DUE)

    def stand(self, seconds: float = 60.0) -> "World":
        """Connect, and stand for that long."""
        if self.held.phase is Phase.WAITING:
            self.due()
        if self.held.phase is Phase.CONNECTING:
            self.tell(UP)
        self.now += seconds
        return self

    def all_of(self, kind: type) -> list[Effect]:
        return [effect for _, effect in self.said if isinstance(effect, kind)]


def taught(life: float = 60.0) -> World:
    """Make a world whose server ends connections after `life` seconds, as the hold has learned."""
    world = World()
    for _ in range(3):
        world.stand(life).tell(END, UP, Probed(passed=True))
    return world


def test_a_hold_connects_and_listens() -> None:
    world = World()
    assert world.due() == (DIAL,)
    assert world.tell(UP) == (Receive(),)
    assert world.held.phase is Phase.HOLDING
    assert world.held.due == inf


@pytest.mark.parametrize("end", [END, RESET])
def test_an_end_has_the_backend_probed_and_connected_to_at_once(end: Input) -> None:
    assert World().stand().tell(end) == (HangUp(), Hurry(), DIAL)


def test_a_dead_host_is_probed_for_a_while() -> None:
    assert World().stand().tell(LATE) == (HangUp(), Hurry(HURRY), DIAL)


def test_two_refusals_after_an_end_condemn() -> None:
    world = World().stand()
    world.tell(END)
    assert world.tell(NO) == (HangUp(),)
    before = world.now
    assert world.due() == (DIAL,)
    assert world.now == before + AGAIN
    detail = "hold 192.0.2.1:80: connection ended, refused twice within 5 ms"
    hang_up, condemn, hurry = world.tell(NO)
    assert (hang_up, hurry) == (HangUp(), Hurry(HURRY))
    assert isinstance(condemn, Condemn)
    assert condemn.detail == detail
    assert condemn.observed == pytest.approx(AGAIN)
    assert world.held.due == world.now + HOLD.every


def test_a_reset_is_named_in_what_condemns() -> None:
    world = World().stand()
    world.tell(RESET, NO)
    world.due()
    _, condemn, _ = world.tell(NO)
    assert isinstance(condemn, Condemn)
    assert "connection lost (ECONNRESET), refused twice" in condemn.detail


def test_what_was_never_held_is_not_condemned() -> None:
    world = World()
    for _ in range(10):
        world.due()
        world.tell(NO)
        assert world.held.due == world.now + HOLD.every
    assert world.all_of(Condemn) == world.all_of(Hurry) == []


def test_one_refusal_is_a_restart() -> None:
    world = World().stand()
    world.tell(END, NO)
    world.due()
    assert world.tell(UP) == (Receive(),)
    assert world.all_of(Condemn) == []


@pytest.mark.parametrize("taken", [(UP, RESET), (UP, END), (RESET,)])
def test_a_dying_server_that_takes_a_connection_with_it_is_condemned_all_the_same(
    taken: tuple[Input, ...],
) -> None:
    world = World().stand()
    world.tell(END, *taken)
    world.due()
    world.tell(NO)
    world.due()
    assert isinstance(world.tell(NO)[1], Condemn)


def test_a_server_that_takes_every_connection_with_it_is_left_to_the_probes() -> None:
    world = World().stand()
    world.tell(END)
    for _ in range(TRIES):
        assert world.tell(RESET) == (HangUp(),)
        world.due()
    assert world.tell(RESET) == (HangUp(), Hurry(HURRY))
    assert world.held.due >= world.now + HOLD.every


def test_refusals_with_a_connection_between_them_do_not_add_up() -> None:
    world = World().stand()
    world.tell(END, NO)
    world.due()
    world.tell(UP, RESET)
    world.due()
    world.tell(NO)
    assert world.all_of(Condemn) == []


def test_what_is_no_refusal_leaves_the_verdict_to_the_probes() -> None:
    world = World().stand()
    world.tell(END)
    assert world.tell(UNREACHABLE) == (HangUp(), Hurry(HURRY))
    assert world.held.due == world.now + HOLD.every


def test_an_attempt_is_given_up_in_time() -> None:
    world = World().stand()
    world.tell(END)
    before = world.now
    assert world.due() == (HangUp(), Hurry(HURRY))
    assert world.now == before + PATIENCE
    world.due()
    assert world.due() == (HangUp(),)


def test_trouble_of_this_node_speaks_against_nobody() -> None:
    world = World().stand()
    world.tell(END)
    assert world.tell(FULL) == (HangUp(),)
    assert world.held.due == world.now + LACKING


def test_a_hold_gives_way_to_probes() -> None:
    world = World().stand()
    assert world.tell(GiveWay()) == (HangUp(),)
    assert world.held.due == world.now + LACKING


def test_a_server_that_ends_every_connection_at_once_is_asked_ever_less_often() -> None:
    world, waits = World(), []
    for _ in range(9):
        world.due()
        world.tell(UP, END)
        waits.append(world.held.due - world.now)
    assert waits == pytest.approx([4.0, 8.0, 16.0, 32.0, *[LONGEST] * 5])
    assert world.all_of(Hurry) == []
    world.stand().tell(END, UP)
    assert world.held.fruitless == 0


def test_an_idle_timeout_is_learned_and_forestalled() -> None:
    world = taught()
    probes = len(world.all_of(Hurry))
    assert probes == 3
    for _ in range(5):
        begun = world.held.since
        assert world.due() == (HangUp(), DIAL)
        assert world.now == pytest.approx(begun + 54.0)
        world.tell(UP)
    assert len(world.all_of(Hurry)) == probes


def test_an_end_at_the_learned_age_is_not_counted() -> None:
    world = taught()
    world.now += 58.0
    assert world.tell(END) == (HangUp(), DIAL)


def test_an_end_at_another_age_is() -> None:
    world = taught()
    world.now += 20.0
    assert world.tell(END) == (HangUp(), Hurry(), DIAL)


def test_a_server_that_dies_as_its_hold_is_renewed_is_condemned() -> None:
    world = taught()
    world.due()
    world.tell(NO)
    world.due()
    _, condemn, _ = world.tell(NO)
    assert isinstance(condemn, Condemn)
    assert "connection renewed, refused twice" in condemn.detail
    assert world.held.lives == ()


def test_an_end_after_which_the_probe_fails_teaches_nothing() -> None:
    world = World().stand()
    assert world.tell(END, Probed(passed=False)) == (Hurry(HURRY),)
    assert world.tell(UP, Probed(passed=True)) == ()
    assert world.held.lives == ()


def test_a_probe_that_nobody_waits_for_changes_nothing() -> None:
    world = World().stand()
    before = world.held
    assert world.tell(Probed(passed=True)) == ()
    assert world.held is before


def test_what_is_learned_while_it_connects_holds_once_it_does() -> None:
    world = World()
    for _ in range(3):
        world.stand().tell(END, Probed(passed=True), UP)
    assert world.held.due == world.held.since + 54.0


def test_a_server_that_never_stops_talking_is_heard_a_little_each_second() -> None:
    world = World().stand()
    for _ in range(3):
        assert world.tell(Received(b"x" * (TALK - 1))) == (Receive(),)
        assert world.tell(Received(b"x")) == ()
        before = world.now
        assert world.due() == (Receive(),)
        assert world.now == before + PAUSE
    assert world.held.due == inf


def test_what_it_never_asked_for_is_an_error_of_ours() -> None:
    with pytest.raises(Unasked):
        World().tell(DeadlineReached())


HAPPENINGS: st.SearchStrategy[Input] = st.sampled_from(
    [END, RESET, LATE, Received(b"x"), GiveWay()]
)
REFUSALS = st.sampled_from([NO, NO, NO, RESET, UNREACHABLE, LATE, FULL])


@given(st.data())
def test_whatever_happens_connects_are_bounded_and_only_a_lost_server_is_condemned(
    data: st.DataObject,
) -> None:
    world, stood, refused = World(), False, 0
    for _ in range(data.draw(st.integers(0, 60))):
        match world.held.phase:
            case Phase.WAITING:
                world.due()
                continue
            case Phase.CONNECTING:
                event: Input = data.draw(st.one_of(st.just(UP), REFUSALS))
            case Phase.HOLDING:
                event = data.draw(HAPPENINGS)
        after = data.draw(st.sampled_from([0.0, 0.01, 1.5, 60.0]))
        if event in {END, RESET, LATE} and world.held.phase is Phase.HOLDING:
            stood = stood or world.now + after - world.held.since >= SETTLED
        refused = refused + 1 if event == NO and world.held.phase is Phase.CONNECTING else 0
        condemned = [e for e in world.tell(event, after=after) if isinstance(e, Condemn)]
        if condemned:
            assert stood
            assert refused >= 2
            stood = False
        assert world.tell(Probed(passed=data.draw(st.booleans()))) in {(), (Hurry(HURRY),)}
    _assert_rate(world)


def _assert_rate(world: World) -> None:
    """Within a second no more than one server can be lost: count what that may take."""
    times = [when for when, effect in world.said if isinstance(effect, Connect)]
    for first, last in zip(times, times[2 * (TRIES + 2) :], strict=False):
        assert last - first >= SETTLED
