"""Inputs and effects of a tether are values that a peer takes, each of them."""

from typing import get_args

import pytest

from libra_vrrp.tether import peer
from libra_vrrp.tether.channel import Greeted
from libra_vrrp.tether.dealings import (
    Connected,
    Elapsed,
    Ended,
    Heard,
    Input,
    Unconnected,
)
from libra_vrrp.tether.ending import Attempt, Ending

INPUTS: tuple[Input, ...] = (
    Connected(2, is_ours=True),
    Unconnected(Attempt.FAILED),
    Heard(1, Greeted()),
    Ended(1, Ending.FIN),
    Elapsed(),
)


@pytest.mark.parametrize("given", INPUTS)
def test_every_input_is_taken_and_changes_no_value(given: Input) -> None:
    before, _ = peer.step(
        peer.begin(0.0, connects_first=True), Connected(1, is_ours=False), 0.0, 0.5
    )
    assert peer.step(before, given, 1.0, 0.5) == peer.step(before, given, 1.0, 0.5)


def test_all_of_them_are_here() -> None:
    assert {type(given) for given in INPUTS} == set(get_args(Input))
