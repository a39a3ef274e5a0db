"""Virtual routers that move together: each rule of a sync group, and that a group settles."""

import random
from ipaddress import IPv4Address
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vrrp.group_site import DELAY, Held, Site, change, lose, site, started, states

from libra_vrrp import fsm, group
from libra_vrrp.codec import OWNER, Advertisement
from libra_vrrp.router import (
    After,
    Always,
    Never,
    Preempt,
    WhenSynced,
    advertisement,
    patience,
    skew,
)
from libra_vrrp.states import (
    Advertise,
    Announce,
    Backup,
    Covered,
    DropAddresses,
    Elapsed,
    Enter,
    Fail,
    Fault,
    Heard,
    Initialize,
    Input,
    LeaseLost,
    Master,
    PriorityChanged,
    Recover,
    Released,
    Start,
    Starting,
    Stop,
    Stopped,
    Yield,
)
from libra_vrrp.why import Why

BOTH = {"inside": [0], "outside": [0]}
MOVED = {"inside": [1], "outside": [1]}


def whys(made: Site, who: int) -> list[tuple[str, Why, str]]:
    """Return why the members of a node entered what they did, and who of the group led."""
    return [(member, one.why, one.member) for i, member, one in made.entered if i == who]


def test_a_group_is_elected_as_one() -> None:
    assert started(site(150, 100)).owners() == BOTH


def test_one_that_is_ready_waits_for_the_last_and_all_go_at_once() -> None:
    made = started(site(150, 100))
    made.crash(0)
    change(made, 1, "outside", priority=50)
    made.give(1, "outside", PriorityChanged(was=100))
    made.give(1, "inside", Heard(Advertisement(51, 0, 100), IPv4Address("10.0.0.1")))
    made.entered.clear()
    at = group.ready_at(states(made.nodes[1]))
    assert at is not None
    made.run(at - made.now - 0.0001)
    assert made.owners() == {"inside": [], "outside": []}
    made.run(0.0002)
    assert made.owners() == MOVED
    assert whys(made, 1) == [("inside", Why.PRIORITY_ZERO, ""), ("outside", Why.TIMER, "")]


def test_while_one_member_hears_the_master_none_takes_over() -> None:
    made = started(site(150, 100))
    made.cut = {"inside"}
    made.run(100.0)
    assert made.owners() == BOTH
    assert group.deadlines(states(made.nodes[1]))["inside"] == group.ready_at(states(made.nodes[1]))


def test_a_dead_node_is_replaced_in_all_members_within_the_protocols_time() -> None:
    made = started(site(150, 100))
    made.crash(0)
    made.run(patience(made.nodes[1]["inside"].router, 1.0) + DELAY)
    assert made.owners() == MOVED


def test_a_fault_of_one_drags_all_and_each_says_priority_zero_in_its_network() -> None:
    made = started(site(150, 100))
    made.said.clear()
    made.give(0, "inside", Fail("eth1 is down"))
    assert [(m, e) for _, m, e in made.said if not isinstance(e, Enter)] == [
        ("inside", Advertise(0)),
        ("inside", DropAddresses()),
        ("outside", Advertise(0)),
        ("outside", DropAddresses()),
    ]
    assert whys(made, 0)[-2:] == [("inside", Why.FAULT, ""), ("outside", Why.GROUP, "inside")]
    made.run(skew(made.nodes[1]["inside"].router, 1.0) + 2 * DELAY)
    assert made.owners() == MOVED


def test_a_group_recovers_when_no_member_is_in_fault_any_more() -> None:
    made = started(site(150, 100))
    made.give(0, "inside", Fail("eth1 is down"))
    made.give(0, "outside", Fail("eth0 is down"))
    made.give(0, "inside", Recover("eth1 is down"))
    made.run(10.0)
    assert [type(one) for one in states(made.nodes[0]).values()] == [Fault, Fault]
    made.give(0, "outside", Recover("eth0 is down"))
    assert [type(one) for one in states(made.nodes[0]).values()] == [Backup, Backup]
    made.run(10.0)
    assert made.owners() == BOTH


def test_who_is_dragged_is_no_fault_of_its_own() -> None:
    made = started(site(150, 100, members=("x", "y", "z")))
    made.give(0, "y", Fail("eth1 is down"))
    found = states(made.nodes[0])
    assert found["y"] == Fault(frozenset({"eth1 is down"}), made.now, made.now)
    for one in ("x", "z"):
        assert found[one] == Fault(frozenset(), made.now, made.now, frozenset({"y"}))
    made.give(0, "y", Recover("eth1 is down"))
    assert not any(isinstance(one, Fault) for one in states(made.nodes[0]).values())


def test_a_start_up_delay_outlives_the_fault_of_another_member() -> None:
    made = site(150)
    change(made, 0, "inside", startup_delay=30.0)
    made.give(0, "outside", Start(frozenset({"eth0 is down"})))
    made.give(0, "inside", Start())
    assert [one for _, one, _ in whys(made, 0)] == [Why.FAULT, Why.GROUP]
    made.give(0, "outside", Recover("eth0 is down"))
    assert states(made.nodes[0])["inside"] == Starting(30.0)
    made.run(30.0 + 4.0)
    assert made.owners() == BOTH


def test_a_member_that_has_not_started_holds_the_others() -> None:
    made = site(150)
    made.give(0, "inside", Start())
    made.run(10.0)
    assert made.owners() == {"inside": [], "outside": []}
    assert group.deadlines(states(made.nodes[0]))["inside"] is None
    made.give(0, "outside", Start())
    made.run(4.0)
    assert made.owners() == BOTH


def test_a_member_that_is_no_more_counts_no_more() -> None:
    made = started(site(150, 100))
    made.give(1, "outside", Stop())
    made.give(0, "inside", Fail("eth1 is down"))
    made.run(4.0)
    assert made.masters("inside") == [1]
    made.give(0, "inside", Stop())
    assert isinstance(states(made.nodes[0])["outside"], Backup)


def test_a_lost_lease_ends_the_mastership_of_all_without_a_word() -> None:
    made = started(site(150, 100))
    made.said.clear()
    made.give(0, "outside", LeaseLost())
    assert [e for _, _, e in made.said if isinstance(e, Advertise)] == []
    assert made.owners() == {"inside": [], "outside": []}
    assert whys(made, 0)[-2:] == [("outside", Why.LEASE, ""), ("inside", Why.GROUP, "outside")]
    made.run(10.0)
    assert made.is_settled()


def test_a_failover_of_one_member_moves_the_group_holds_it_and_lets_it_return() -> None:
    made = started(site(150, 100))
    made.give(0, "outside", Yield(60.0))
    assert whys(made, 0)[-2:] == [("outside", Why.OPERATOR, ""), ("inside", Why.GROUP, "outside")]
    made.run(1.0)
    assert made.owners() == MOVED
    made.run(58.0)
    assert made.owners() == MOVED
    made.run(10.0)
    assert made.owners() == BOTH


def test_a_failover_that_is_taken_back_lets_the_group_return() -> None:
    made = started(site(150, 100))
    made.give(0, "outside", Yield(600.0))
    made.run(20.0)
    made.give(0, "outside", Released())
    made.run(10.0)
    assert made.owners() == BOTH


def test_where_nobody_takes_over_the_group_comes_back_as_one() -> None:
    made = started(site(150))
    made.give(0, "inside", Yield(60.0))
    made.run(4.0)
    assert made.owners() == BOTH
    assert whys(made, 0)[-2:] == [("inside", Why.UNCLAIMED, ""), ("outside", Why.TIMER, "")]


def test_after_a_partition_the_loser_gives_all_up_and_the_winner_announces_all_again() -> None:
    made = started(site(150, 100))
    made.cut = {"inside", "outside"}
    made.run(10.0)
    assert made.owners() == {"inside": [0, 1], "outside": [0, 1]}
    made.cut = set()
    made.said.clear()
    made.run(1.0 + 2 * DELAY)
    assert made.owners() == BOTH
    announced = {member for who, member, one in made.said if who == 0 and one == Announce()}
    assert announced == {"inside", "outside"}


def test_the_winner_announces_again_where_the_loser_said_nothing_but_that_it_is_gone() -> None:
    """The loser followed its group before either was heard on this network."""
    made = started(site(150, 100))
    made.cut = {"inside", "outside"}
    made.run(10.0)
    made.cut = set()
    made.said.clear()
    router = made.nodes[0]["inside"].router
    made.give(1, "inside", Heard(advertisement(router, 150), router.address))
    assert (1, "outside", Advertise(0)) in made.said
    assert (1, "outside", Advertise(100)) not in made.said
    made.run(DELAY)
    assert {m for who, m, one in made.said if (who, one) == (0, Announce())} == {
        "inside", "outside",
    }  # fmt: skip


def test_who_lost_a_moment_ago_is_in_time_again_once_it_heard_the_winner_twice() -> None:
    made = started(site(150, 100))
    made.cut = {"inside", "outside"}
    made.run(10.0)
    made.cut = set()
    made.run(2.5)
    for member in made.nodes[0]:
        made.give(0, member, Stop())
    made.run(skew(made.nodes[1]["inside"].router, 1.0) + 2 * DELAY)
    assert {member: 1 in made.masters(member) for member in made.nodes[0]} == {
        "inside": True,
        "outside": True,
    }


def test_each_member_of_a_large_group_is_moved_once() -> None:
    made = started(site(150, members=tuple(f"m{n}" for n in range(9))))
    moves = group.step(made.nodes[0], "m4", LeaseLost(), made.now)
    assert sorted(move.member for move in moves) == sorted(made.nodes[0])


def test_a_partition_of_one_network_that_heals_first_settles_both() -> None:
    made = started(site(150, 100))
    made.cut = {"inside", "outside"}
    made.run(10.0)
    made.cut = {"outside"}
    made.run(1.0 + 2 * DELAY)
    assert made.owners() == BOTH
    made.run(100.0)
    assert made.owners() == BOTH


@pytest.mark.parametrize("preempt", [After(5.0), WhenSynced(5.0)])
def test_the_most_patient_member_decides_when_a_group_preempts(preempt: Preempt) -> None:
    made = started(site(150, 100))
    change(made, 0, "outside", preempt=preempt)
    made.give(0, "inside", Fail("eth1 is down"))
    made.run(10.0)
    made.give(0, "inside", Recover("eth1 is down"))
    made.run(5.0)
    assert made.owners() == MOVED
    made.run(5.0)
    assert made.owners() == BOTH


def test_a_group_of_which_one_member_never_preempts_stays() -> None:
    made = started(site(150, 100))
    change(made, 0, "outside", preempt=Never())
    made.give(0, "inside", Fail("eth1 is down"))
    made.run(10.0)
    made.give(0, "inside", Recover("eth1 is down"))
    made.run(100.0)
    assert made.owners() == MOVED


def test_owners_take_all_at_once_and_one_that_owns_waits_for_one_that_does_not() -> None:
    all_owned = site(OWNER, 100)
    all_owned.start(0)
    all_owned.run(0.0)
    assert all_owned.owners() == BOTH
    mixed = site(150, 100)
    change(mixed, 0, "inside", priority=OWNER)
    mixed.start(0)
    mixed.run(3.0)
    assert mixed.owners() == {"inside": [], "outside": []}
    mixed.run(0.5)
    assert mixed.owners() == BOTH
    assert whys(mixed, 0)[-2:] == [("inside", Why.OWNER, ""), ("outside", Why.TIMER, "")]


def test_a_priority_that_sinks_in_all_members_moves_the_group() -> None:
    made = started(site(150, 100))
    for member in made.nodes[0]:
        change(made, 0, member, priority=90)
        made.give(0, member, PriorityChanged(was=150))
    made.run(10.0)
    assert made.owners() == MOVED


def test_a_priority_that_sinks_in_one_member_moves_nothing_and_splits_nothing() -> None:
    made = started(site(150, 100))
    change(made, 0, "inside", priority=90)
    made.give(0, "inside", PriorityChanged(was=150))
    for _ in made.transfer(100.0):
        assert made.owners() == BOTH


@pytest.mark.parametrize("priorities", [(100, 100), (100, 100, 100)])
def test_nodes_that_each_win_one_member_come_to_an_end(priorities: tuple[int, ...]) -> None:
    """Both start at once, and addresses break the tie differently in each network."""
    made = site(*priorities, crossed=True)
    for who in range(len(priorities)):
        made.start(who)
    made.run(20.0)
    assert made.is_settled()
    made.entered.clear()
    made.run(100.0)
    assert made.entered == []


def test_masters_here_and_there_that_come_into_one_group_end_on_one_node() -> None:
    made = started(site(150, 100, preempt=Never()))
    away: dict[str, Held] = {}
    for node, member in ((made.nodes[0], "outside"), (made.nodes[1], "inside")):
        held = node[member]
        away[member] = held
        held.state = Backup(down_at=made.now + 3.9, interval=1.0, since=made.now)
    made.nodes[1]["outside"].state = Master(advert_at=made.now + 0.5, since=made.now)
    assert made.owners() == {"inside": [0], "outside": [1]}
    made.run(6.0)
    assert made.is_settled()


def test_a_new_member_is_taken_by_the_master_of_the_others() -> None:
    made = started(site(150, 100, members=("inside", "outside", "third")))
    for node in made.nodes:
        node["third"].state = Initialize()
    for who in (1, 0):
        made.give(who, "third", Start())
    made.run(4.0)
    assert made.owners() == {"inside": [0], "outside": [0], "third": [0]}


def test_members_that_come_together_learn_of_each_others_faults() -> None:
    made = started(site(150))
    node = made.nodes[0]
    node["inside"].state = Fault(frozenset({"eth1 is down"}), 0.0, 0.0)
    for member, told in group.settle(states(node)):
        made.give(0, member, told)
    assert states(node)["outside"] == Fault(frozenset(), made.now, made.now, frozenset({"inside"}))
    alone = {"outside": node["outside"]}
    [(member, told)] = group.settle(states(alone))
    [move] = group.step(alone, member, told, made.now)
    assert isinstance(move.state, Backup)
    assert group.settle({"outside": move.state}) == ()


def test_time_does_nothing_to_a_member_that_waits() -> None:
    made = started(site(150, 100))
    made.cut = {"inside"}
    made.run(5.0)
    assert group.step(made.nodes[1], "inside", Covered(1.0), made.now) != ()
    before = states(made.nodes[1])
    made.give(1, "inside", Elapsed())
    assert states(made.nodes[1]) == before


def test_a_group_of_stopped_members_waits_for_nothing() -> None:
    assert group.ready_at({"inside": Stopped()}) is None


POLICIES: tuple[Preempt, ...] = (Always(), Never(), After(3.0), WhenSynced(5.0))
MISHAPS = ("cut", "heal", "fail", "recover", "yield", "lease", "crash", "start", "priority", "loss")


@pytest.mark.parametrize("seed", range(150))
def test_whatever_happens_a_group_is_one_and_settles_on_one_node(seed: int) -> None:
    dice = random.Random(seed)
    count = dice.choice([2, 2, 3])
    ties = dice.random() < 0.2
    priorities = [100] * count if ties else dice.sample([50, 80, 100, 150, 200, OWNER], count)
    made = site(
        *priorities,
        members=("x", "y", "z")[: dice.choice([2, 2, 3])],
        preempt=dice.choice(POLICIES),
        interval=dice.choice([0.05, 1.0]),
        crossed=dice.random() < 0.3,
    )
    interval = made.nodes[0]["x"].router.interval
    for who in range(count):
        made.start(who)
    for _ in range(40):
        mishap(made, dice)
        for _ in made.transfer(dice.uniform(0, 3 * interval)):
            assert made.is_coherent()
    mend(made)
    made.run(15 * interval + 5.0 + 60.0)
    assert made.is_settled()
    made.entered.clear()
    made.run(50 * interval)
    assert made.entered == []


def mishap(made: Site, dice: random.Random) -> None:
    who, member = dice.randrange(len(made.nodes)), dice.choice(list(made.nodes[0]))
    inputs: dict[str, Input] = {
        "fail": Fail("eth0"),
        "recover": Recover("eth0"),
        "yield": Yield(dice.uniform(0, 60)),
        "lease": LeaseLost(),
    }
    match dice.choice(MISHAPS):
        case "cut":
            made.cut.add(member)
        case "heal":
            made.cut.discard(member)
        case "crash":
            made.crash(who)
        case "start":
            start_all(made, who)
        case "priority":
            reprioritise(made, who, member, dice.choice([60, 90, 120]))
        case "loss":
            lose(made, dice, 0.5)
        case word:
            made.give(who, member, inputs[word])


def start_all(made: Site, who: int) -> None:
    if all(isinstance(held.state, Initialize) for held in made.nodes[who].values()):
        made.start(who)


def reprioritise(made: Site, who: int, member: str, priority: int) -> None:
    was = made.nodes[who][member].router.priority
    if was != OWNER:
        change(made, who, member, priority=priority)
        made.give(who, member, PriorityChanged(was))


def mend(made: Site) -> None:
    made.cut.clear()
    for who, node in enumerate(made.nodes):
        start_all(made, who)
        for member in node:
            made.give(who, member, Recover("eth0"))


INPUTS: st.SearchStrategy[Input] = st.one_of(
    st.sampled_from(
        [Fail("a"), Fail("b"), Recover("a"), Recover("b"), LeaseLost(), Yield(9.0), Released()]
    ),
    st.sampled_from([Start(), Start(frozenset({"a"})), Elapsed(), Covered(1.0), Stop()]),
    st.builds(
        lambda priority, host: Heard(
            Advertisement(51, priority, 100), IPv4Address(f"10.0.0.{host}")
        ),
        st.sampled_from([0, 50, 120, 150, 200]),
        st.integers(2, 9),
    ),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), INPUTS, st.floats(0, 5)), max_size=60),
)
def test_masters_are_all_or_none_and_faults_are_everybodys(
    happenings: list[tuple[str, Input, float]],
) -> None:
    made = site(150, members=("x", "y", "z"))
    for member in ("x", "y", "z"):
        made.give(0, member, Start())
    for member, happening, seconds in happenings:
        made.give(0, member, happening)
        made.run(seconds)
        found = [one for one in states(made.nodes[0]).values() if not isinstance(one, Stopped)]
        assert len({isinstance(one, Master) for one in found}) <= 1
        assert len({isinstance(one, Fault) for one in found}) <= 1
        failed = {m for m, one in states(made.nodes[0]).items() if group.fails(one)}
        for name, one in states(made.nodes[0]).items():
            assert not isinstance(one, Fault) or one.blocked_by == failed - {name}
    for (_, _, before), (_, _, after) in pairwise(made.entered):
        assert before is not after


@given(st.lists(st.tuples(INPUTS, st.floats(0, 5)), max_size=30))
def test_a_group_of_one_is_the_machine_itself(happenings: list[tuple[Input, float]]) -> None:
    made = site(150, members=("x",))
    held, now = made.nodes[0]["x"], 0.0
    for happening, seconds in happenings:
        now += seconds
        expected = fsm.step(held.router, held.state, happening, now)
        [move] = group.step({"x": held}, "x", happening, now)
        assert (move.member, move.state, move.effects) == ("x", *expected)
        held.state = move.state
