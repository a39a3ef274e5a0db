"""What a guard does about its machine, in which order: it kills before it gives anything up."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from libra_vrrp.bequest import Bequest
from libra_vrrp.custody import (
    Custody,
    Cut,
    Effect,
    GiveUp,
    Hold,
    Kill,
    Outlive,
    begin,
    bequest,
    bury,
    deadline,
    end,
    hear,
    leave,
    told,
    watch,
    woken,
)
from libra_vrrp.guarding import (
    SPARE,
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
)
from libra_vrrp.rtnetlink import Target

NEVER = float("inf")
NOW = 1000.0
TARGET = Target(2, IPv4Address("192.0.2.10"))
WORD = LastWord(2, "224.0.0.18", b"\x45\x00")
FRONT = Will("front", 1.0, (TARGET,), (WORD,))
HOLDING = Custody(Ward({"front": FRONT}), needs=0.1)
LEFT = Custody(Ward(left={"front": Estate(FRONT, NOW + 1)}), died_at=NOW)
ALL = HandOver((TARGET,), (WORD,))


def test_a_guard_begins_with_what_was_left_to_it() -> None:
    assert begin(None) == Custody()
    estate = Estate(FRONT, NOW + 1)
    assert begin(Bequest("here", NOW, 0.5, (estate,))) == Custody(
        Ward(left={"front": estate}), died_at=NOW, needs=0.5
    )


def test_what_the_machine_says_is_kept() -> None:
    custody, effects = hear(Custody(), FRONT, NOW - 1, NOW)
    assert (custody.ward.wills, effects) == ({"front": FRONT}, ())
    custody, effects = hear(custody, Revoked("front"), NOW - 1, NOW)
    assert (custody, effects) == (Custody(), ())


def test_what_is_not_adopted_once_every_router_works_is_given_up() -> None:
    custody, effects = hear(LEFT, Settled(), NOW - 0.25, NOW)
    assert effects == (GiveUp(ALL, "not adopted"),)
    assert (custody.needs, custody.ward) == (0.25, Ward())


@pytest.mark.parametrize("tether", [Tethered("b 7.1"), Untethered("b 7.1"), Superseded("b")])
def test_a_tether_is_held_or_let_go_of_and_changes_nothing_else(tether: Tether) -> None:
    assert hear(HOLDING, tether, NOW, NOW) == (HOLDING, (Hold(tether),))


def test_a_silent_machine_is_killed_first_then_its_addresses_go_and_then_its_tethers() -> None:
    assert watch(HOLDING, NOW, NOW - 0.001, runs=True) == (HOLDING, ())
    custody, effects = watch(HOLDING, NOW, NOW, runs=True)
    assert effects == (Kill(), GiveUp(ALL, "silent"), Cut())
    assert custody.ward.condemned
    assert watch(custody, NOW, NOW + 9, runs=True) == (custody, ())


def test_a_condemned_machine_leaves_nothing_and_its_addresses_are_removed_once_more() -> None:
    custody, _ = watch(replace(HOLDING, died_at=1.0), NOW, NOW, runs=True)
    custody, effects = bury(custody, NOW, NOW + 0.01, NOW + 0.01)
    silent = GiveUp(HandOver((TARGET,)), "silent")
    assert effects == (silent, Outlive(), Cut())
    assert (custody.died_at, custody.ward) == (None, Ward())


def test_where_no_successor_could_be_started_in_time_none_is_condemned() -> None:
    custody, effects = watch(LEFT, NEVER, NOW + 1, runs=False)
    assert effects == (GiveUp(ALL, "silent"), Cut())
    assert custody == Custody()


def test_what_the_next_machine_can_adopt_in_time_is_kept_with_its_tethers() -> None:
    custody, effects = bury(HOLDING, NOW + 1.5, NOW, NOW)
    assert effects == (Outlive(),)
    assert (custody.died_at, custody.ward.left) == (NOW, {"front": Estate(FRONT, NOW + 1.5)})


def test_what_it_cannot_adopt_in_time_is_given_up_with_the_tethers() -> None:
    custody, effects = bury(HOLDING, NOW + 1.5, NOW, NOW + 1.4)
    assert effects == (GiveUp(ALL, "died"), Outlive(), Cut())
    assert (custody.died_at, custody.ward) == (NOW, Ward())


def test_a_machine_that_held_nothing_leaves_its_tethers_open() -> None:
    assert bury(Custody(), NEVER, NOW, NOW) == (Custody(died_at=NOW), (Outlive(),))


def test_a_service_that_starts_again_at_once_needs_two_starts() -> None:
    slow = replace(HOLDING, needs=0.8)
    given_up: tuple[Effect, ...] = (GiveUp(ALL, "not left"),)
    assert leave(slow, NOW, NOW, at_once=True)[1] == given_up
    custody, effects = leave(slow, NOW, NOW, at_once=False)
    assert (custody.ward.left, effects) == ({"front": Estate(FRONT, NOW + 1.5)}, ())


def test_a_bequest_says_when_the_machine_was_told_or_when_the_one_before_it_died() -> None:
    estate = Estate(FRONT, NOW + 1)
    assert bequest(LEFT, "here", NOW + 5, 7.0) == Bequest("here", NOW, 0.0, (estate,), 7.0)
    assert bequest(told(LEFT), "here", NOW + 5, 7.0).died_at == NOW + 5


def test_a_guard_that_ends_gives_up_what_is_held_or_was_left_and_its_tethers() -> None:
    assert end(HOLDING, NOW + 1, NOW) == (GiveUp(ALL, "ended"), Cut())
    assert end(LEFT, NEVER, NOW) == (GiveUp(ALL, "ended"), Cut())
    assert end(Custody(), NEVER, NOW) == (Cut(),)


def test_a_guard_that_was_held_up_spares_its_machine_for_a_moment() -> None:
    assert deadline(HOLDING, NOW) == NOW
    custody = woken(HOLDING, NOW - 1, NOW)
    assert deadline(custody, NOW) == NOW + SPARE
    assert watch(custody, NOW, NOW + SPARE / 2, runs=True) == (custody, ())
    assert woken(custody, NEVER, NOW) == custody
