"""Requests about interfaces, against linux/if_link.h as ip(8) sends them."""

import pytest

from libra_vrrp import macvlan

MADE = (
    "68000000 1000 0506 01000000 00000000"
    "00 00 0000 00000000 00000000 00000000"
    "0800 0500 02000000"
    "0a00 0100 00005e000133 0000"
    "0d00 0300 76727270342d353100 000000"
    "0800 1b00 70000000"
    "1c00 1200 0b00 0100 6d6163766c616e 00 0c00 0200 0800 0100 04000000"
)
QUIET = (
    "30000000 1000 0500 02000000 00000000 00 00 0000 03000000 00000000 00000000"
    "1000 1a00 0c00 0a00 0500 0800 01 000000"
)
UP = "20000000 1000 0500 03000000 00000000 00 00 0000 03000000 01000000 01000000"
DOWN = "20000000 1000 0500 04000000 00000000 00 00 0000 03000000 00000000 01000000"
GONE = "20000000 1100 0500 05000000 00000000 00 00 0000 03000000 00000000 00000000"


def test_it_is_made_in_bridge_mode_in_our_group_and_down() -> None:
    mac = bytes.fromhex("00005e000133")
    made = macvlan.make(1, ("vrrp4-51", 2, mac))
    assert made == bytes.fromhex(MADE)


@pytest.mark.parametrize(
    ("request_", "golden"),
    [
        pytest.param(macvlan.quieten(2, 3), QUIET, id="quieten"),
        pytest.param(macvlan.up(3, 3), UP, id="up"),
        pytest.param(macvlan.down(4, 3), DOWN, id="down"),
        pytest.param(macvlan.remove(5, 3), GONE, id="remove"),
    ],
)
def test_what_is_asked_of_one_that_is_there(request_: bytes, golden: str) -> None:
    assert request_ == bytes.fromhex(golden)
