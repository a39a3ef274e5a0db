"""The guard acts only for a machine that cannot act, in time, and says nothing out of turn."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.guarding import (
    Estate,
    HandOver,
    LastWord,
    Revoked,
    Settled,
    Superseded,
    Tether,
    Tethered,
    Untethered,
    Ward,
    Will,
    bury,
    condemn,
    deadline,
    due,
    given_up,
    hear,
    leave,
    spared_until,
)
from libra_vrrp.routing import Entry, Kind
from libra_vrrp.rtnetlink import Target

NEVER = float("inf")
NOW = 1000.0
TARGET = Target(2, IPv4Address("192.0.2.10"))
WORD = LastWord(2, "224.0.0.18", b"\x45\x00")
FRONT = Will("front", 1.0, (TARGET,), (WORD,))
BACK = Will(
    "back", 0.1, (Target(3, IPv6Address("2001:db8::10")),), (LastWord(3, "ff02::12", b"\x60"),)
)
RULE = Entry(Kind.RULE, b"\x02", "rule 100: from all lookup 7")
ROUTE = Entry(Kind.ROUTE, b"\x0a", "route ::/0 dev eth0")
ROUTED = replace(FRONT, targets=(Target(2, IPv4Address("192.0.2.10"), 24),), entries=(ROUTE, RULE))
BOTH = Ward({"front": FRONT, "back": BACK})
ON_TIME = NOW + 1.5 * 0.1
"""What is promised by a machine that has just said everything in time."""


def test_a_machine_that_is_master_of_nothing_promises_nothing() -> None:
    assert due([]) == NEVER


def test_a_sign_of_life_is_due_two_and_a_half_intervals_after_the_last_advertisement() -> None:
    assert due([(NOW + 1, 1.0, NEVER), (NOW + 3, 4.0, NEVER)]) == NOW + 2.5
    assert due([(NOW + 3, 1.0, NEVER), (NOW, 4.0, NEVER)]) == NOW + 4.5


def test_a_short_interval_is_not_held_against_a_machine_that_stalls() -> None:
    assert due([(NOW + 0.01, 0.01, NEVER)]) == pytest.approx(NOW + 0.11)


def test_a_machine_that_should_have_stepped_down_is_given_a_moment_for_it() -> None:
    assert due([(NOW + 10, 10.0, NOW + 1.5)]) == pytest.approx(NOW + 1.6)


@given(st.floats(0.0, 1e6), st.floats(0.07, 40.95), st.floats(0.0, 1.0))
def test_the_guard_acts_before_anybody_else_takes_over(
    last: float, interval: float, skew: float
) -> None:
    assert due([(last + interval, interval, NEVER)]) < last + (3 + skew) * interval


def test_the_wills_are_those_that_were_not_revoked() -> None:
    ward = Ward()
    for message in (FRONT, BACK, Revoked("front"), Revoked("unheard-of"), Settled()):
        ward, lost = hear(ward, message, NOW)
        assert lost == HandOver()
    assert ward == Ward({"back": BACK})


def test_nothing_is_to_be_done_before_the_machine_is_silent() -> None:
    assert deadline(Ward(), NEVER) == NEVER
    assert deadline(BOTH, NOW + 1) == NOW + 1


def test_who_is_condemned_is_killed_once() -> None:
    ward, lost = condemn(BOTH, NOW, NOW)
    assert lost == HandOver((*FRONT.targets, *BACK.targets), (*FRONT.words, *BACK.words))
    assert deadline(ward, NOW) == NEVER


def test_what_a_condemned_machine_had_asked_for_is_removed_at_its_end_without_a_word() -> None:
    ward, _ = condemn(BOTH, NOW, NOW)
    after, lost = bury(ward, NOW, NOW + 0.01, NOW + 0.01)
    assert after == Ward()
    assert lost == HandOver((*FRONT.targets, *BACK.targets), ())


def test_what_can_be_adopted_in_time_waits_and_the_rest_is_handed_over() -> None:
    ward, lost = bury(BOTH, ON_TIME, NOW, heir_at=NOW + 0.2)
    assert lost == HandOver(BACK.targets, BACK.words)
    assert ward == Ward(left={"front": Estate(FRONT, NOW + 1.5)})
    assert deadline(ward, NEVER) == pytest.approx(NOW + 1.5)


def test_a_machine_that_was_behind_leaves_less_time() -> None:
    ward, _ = bury(BOTH, ON_TIME - 0.3, NOW, heir_at=NOW + 0.2)
    assert deadline(ward, NEVER) == pytest.approx(NOW + 1.2)
    ward, lost = bury(BOTH, ON_TIME - 1.4, NOW, heir_at=NOW + 0.2)
    assert ward == Ward()
    assert len(lost.targets) == 2


def test_what_is_adopted_is_the_successors() -> None:
    ward, _ = bury(BOTH, ON_TIME, NOW, heir_at=NOW + 0.2)
    ward, lost = hear(ward, FRONT, NOW + 0.3)
    assert (ward, lost) == (Ward({"front": FRONT}), HandOver())


def test_what_is_not_adopted_is_handed_over_once_the_successor_is_settled() -> None:
    ward, _ = bury(BOTH, ON_TIME, NOW, heir_at=NOW + 0.2)
    ward, lost = hear(ward, Settled(), NOW + 0.3)
    assert ward == Ward()
    assert lost == HandOver(FRONT.targets, FRONT.words)


def test_an_address_that_the_successor_holds_for_another_instance_stays() -> None:
    ward, _ = bury(BOTH, ON_TIME, NOW, heir_at=NOW + 0.2)
    ward, _ = hear(ward, replace(FRONT, instance="new"), NOW + 0.3)
    _, lost = hear(ward, Settled(), NOW + 0.4)
    assert lost == HandOver((), FRONT.words)


def test_an_address_stays_that_an_instance_still_to_be_adopted_has() -> None:
    quick = replace(BACK, targets=(TARGET, *BACK.targets))
    ward, lost = bury(Ward({"front": FRONT, "back": quick}), ON_TIME, NOW, heir_at=NOW + 0.2)
    assert set(ward.left) == {"front"}
    assert lost == HandOver(BACK.targets, BACK.words)


def test_a_successor_that_is_too_slow_is_condemned_with_what_it_was_to_adopt() -> None:
    ward, _ = bury(BOTH, ON_TIME, NOW, heir_at=NOW + 0.2)
    ward, lost = condemn(ward, NEVER, NOW + 1.5)
    assert lost == HandOver(FRONT.targets, FRONT.words)
    assert ward == Ward(condemned=True)


def test_a_successor_that_dies_leaves_what_it_was_to_adopt_to_the_next() -> None:
    ward, _ = bury(BOTH, ON_TIME, NOW, heir_at=NOW + 0.2)
    ward, lost = bury(ward, NEVER, NOW + 0.2, heir_at=NOW + 0.5)
    assert lost == HandOver()
    ward, lost = bury(ward, NEVER, NOW + 0.5, heir_at=NOW + 2.0)
    assert (ward, lost) == (Ward(), HandOver(FRONT.targets, FRONT.words))


def test_what_a_machine_leaves_waits_from_when_it_was_told_and_the_rest_is_handed_over() -> None:
    ward, lost = leave(BOTH, NOW, NOW + 0.1, heir_at=NOW + 0.2)
    assert lost == HandOver(BACK.targets, BACK.words)
    assert ward == Ward(left={"front": Estate(FRONT, NOW + 1.5)})


def test_what_the_one_before_left_is_left_until_no_later() -> None:
    left = Ward(left={"front": Estate(FRONT, NOW + 0.3)})
    assert leave(left, NOW, NOW + 0.1, heir_at=NOW + 0.2) == (left, HandOver())
    ward, lost = leave(left, NOW, NOW + 0.1, heir_at=NOW + 0.3)
    assert (ward, lost) == (Ward(), HandOver(FRONT.targets, FRONT.words))


def test_what_a_machine_has_not_adopted_is_not_left_where_nobody_may_come() -> None:
    ward = Ward({"back": BACK}, left={"front": Estate(FRONT, NOW + 9.0)})
    after, lost = leave(ward, NOW, NOW + 0.1, heir_at=None)
    assert (after, lost) == (
        Ward(left={"back": Estate(BACK, NOW + 1.5 * 0.1)}),
        HandOver(FRONT.targets, FRONT.words),
    )


def test_a_machine_that_ended_long_after_it_was_told_leaves_nothing_that_others_have() -> None:
    ward, lost = leave(Ward({"back": BACK}), NOW, NOW + 0.9, heir_at=NOW + 0.9)
    assert (ward, lost) == (Ward(), HandOver(BACK.targets, ()))


def test_nothing_is_said_once_others_have_taken_over() -> None:
    assert given_up(BOTH, NOW, NOW + 1.4) == HandOver((TARGET, *BACK.targets), FRONT.words)
    assert given_up(BOTH, NOW, NOW + 1.6).words == ()


def test_an_address_that_two_have_is_removed_once() -> None:
    twin = replace(FRONT, instance="twin")
    assert given_up(Ward({"front": FRONT, "twin": twin}), NEVER, NOW).targets == (TARGET,)


def test_routes_and_rules_are_removed_once_unless_another_instance_has_them() -> None:
    twin = replace(ROUTED, instance="twin")
    both = Ward({"front": ROUTED, "twin": twin})
    assert given_up(both, NEVER, NOW).entries == (ROUTE, RULE)
    ward, _ = bury(Ward({"front": ROUTED}), NOW + 1.5, NOW, heir_at=NOW + 0.2)
    ward, _ = hear(ward, replace(BACK, entries=(RULE,)), NOW + 0.3)
    _, lost = hear(ward, Settled(), NOW + 0.4)
    assert lost == HandOver(ROUTED.targets, ROUTED.words, (ROUTE,))


def test_the_interface_of_a_virtual_mac_is_set_down_once_unless_it_is_held_anew() -> None:
    veiled, twin = replace(FRONT, vmac=7), replace(BACK, vmac=8)
    assert given_up(Ward({"front": veiled, "back": twin}), NEVER, NOW).vmacs == (7, 8)
    ward, _ = bury(Ward({"front": veiled, "back": twin}), NOW + 1.5, NOW, heir_at=NOW + 0.05)
    ward, _ = hear(ward, replace(BACK, vmac=7), NOW + 0.06)
    _, lost = hear(ward, Settled(), NOW + 0.07)
    assert lost.vmacs == ()


def test_what_a_condemned_machine_had_laid_is_removed_at_its_end_once_more() -> None:
    ward, lost = condemn(Ward({"front": ROUTED}), NOW, NOW)
    _, again = bury(ward, NOW, NOW + 0.01, NOW + 0.01)
    assert lost.entries == again.entries == (ROUTE, RULE)


def test_a_guard_that_was_held_up_itself_holds_nothing_against_the_machine() -> None:
    assert spared_until(NOW, NOW + 0.01) == NOW + 0.01
    assert spared_until(NOW, NOW + 5) > NOW + 5


@pytest.mark.parametrize("message", [Tethered("b 7.1"), Untethered("b 7.1"), Superseded("b")])
def test_what_is_told_of_tethers_changes_nothing_that_is_held(message: Tether) -> None:
    assert hear(BOTH, message, NOW) == (BOTH, HandOver())
