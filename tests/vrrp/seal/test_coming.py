"""Seals that wait for their key, and when nobody waits any more."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from libra_vrrp.orders import Instance, Place, Seal
from libra_vrrp.seal.coming import Coming, expect, give_up, is_given_up, meanwhile, passed_by
from libra_vrrp.seal.names import context, router_tag

PLAIN = Instance("front", "eth0", 51, 150, (Place("eth0", IPv4Address("192.0.2.10")),))
BACK = replace(PLAIN, name="back", vrid=52)
FRONT_TAG, BACK_TAG = (router_tag(context(*one)) for one in (("front", 51, 4), ("back", 52, 4)))


def sealed(file: str, *, is_required: bool = True, order: Instance = PLAIN) -> Instance:
    return replace(order, seal=Seal(file, is_required))


NEW = sealed("/new")


def test_who_is_passed_while_its_key_file_is_no_good_waits_no_more() -> None:
    known = expect(Coming(), [(PLAIN, NEW)], [])
    known = passed_by(known, FRONT_TAG)
    assert not is_given_up(known, NEW)
    assert not is_given_up(give_up(known, "/another"), NEW)
    assert is_given_up(give_up(known, "/new"), NEW)


def test_a_key_file_that_is_no_good_is_waited_for_where_nobody_seals() -> None:
    known = give_up(expect(Coming(), [(PLAIN, NEW)], []), "/new")
    assert not is_given_up(known, NEW)


def test_what_becomes_of_who_waits_is_not_promised_where_a_peer_may_end_it() -> None:
    """It was said to go on as it was, and was in fault a moment later."""
    required = expect(Coming(), [(PLAIN, NEW)], [])
    accepting = expect(Coming(), [(PLAIN, sealed("/new", is_required=False))], [])
    assert meanwhile(required, "front").endswith("that it cannot open it is in fault")
    assert meanwhile(accepting, "front") == "it goes on as it was until the key is there"


def test_only_who_was_passed_waits_no_more() -> None:
    back = sealed("/new", order=BACK)
    known = expect(Coming(), [(PLAIN, NEW), (BACK, back)], [])
    known = give_up(passed_by(known, BACK_TAG), "/new")
    assert (is_given_up(known, NEW), is_given_up(known, back)) == (False, True)


def test_a_datagram_for_nobody_who_waits_says_nothing() -> None:
    known = expect(Coming(), [(PLAIN, NEW)], [])
    assert passed_by(known, BACK_TAG) == known


@pytest.mark.parametrize(
    ("old", "new", "waits_on"),
    [
        pytest.param(PLAIN, sealed("/new", is_required=False), True, id="both in plain"),
        pytest.param(
            sealed("/old", is_required=False),
            sealed("/new", is_required=False),
            True,
            id="both accept",
        ),
        pytest.param(PLAIN, NEW, False, id="plain to required"),
        pytest.param(sealed("/old"), NEW, False, id="another key file"),
        pytest.param(
            sealed("/old"), sealed("/new", is_required=False), False, id="required to accept"
        ),
    ],
)
def test_who_still_talks_in_plain_with_its_peers_waits_whatever_they_seal(
    old: Instance, new: Instance, *, waits_on: bool
) -> None:
    known = give_up(passed_by(expect(Coming(), [(old, new)], []), FRONT_TAG), "/new")
    assert is_given_up(known, new) is not waits_on


def test_it_stays_given_up_while_it_is_ordered_and_no_longer() -> None:
    known = give_up(passed_by(expect(Coming(), [(PLAIN, NEW)], []), FRONT_TAG), "/new")
    known = expect(known, [], [NEW])
    assert is_given_up(known, NEW)
    assert not is_given_up(known, sealed("/newer"))
    assert not is_given_up(expect(known, [], []), NEW)


def test_what_was_heard_before_an_order_was_taken_back_is_forgotten() -> None:
    known = passed_by(expect(Coming(), [(PLAIN, NEW)], []), FRONT_TAG)
    known = expect(expect(known, [], []), [(PLAIN, NEW)], [])
    assert not is_given_up(give_up(known, "/new"), NEW)
