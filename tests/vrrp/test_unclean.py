"""A mark that nobody took away tells of an unclean exit; a bequest tells more."""

from dataclasses import replace

import pytest

from libra_vrrp.bequest import NEVER, Bequest
from libra_vrrp.unclean import unclean_at

LEFT = Bequest("boot 4026531840", 100.0, 0.125, ())


def test_the_first_service_of_all_and_one_after_an_orderly_end_find_no_mark() -> None:
    assert unclean_at(None, 7.0, is_marked=False) == NEVER


def test_a_mark_that_stayed_counts_from_our_own_start() -> None:
    assert unclean_at(None, 7.0, is_marked=True) == 7.0


def test_who_could_leave_nothing_when_it_started_again_in_place_knows_what_it_knew() -> None:
    """Found by review: it forgot that it followed an unclean exit, and preempted at once."""
    assert unclean_at(None, 7.0, is_marked=False, carried=2.0) == 2.0
    assert unclean_at(None, 7.0, is_marked=False, carried=NEVER) == NEVER


@pytest.mark.parametrize("is_marked", [False, True])
def test_a_planned_restart_neither_is_an_unclean_exit_nor_hides_the_one_before(
    is_marked: bool,
) -> None:
    assert unclean_at(LEFT, 7.0, is_marked=is_marked) == NEVER
    assert unclean_at(replace(LEFT, unclean_at=2.0), 7.0, is_marked=is_marked) == 2.0
