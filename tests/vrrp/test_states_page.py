"""docs/vrrp-states.md is what the machine does, all of it."""

from typing import get_args

from tools import states

from libra_vrrp.states import Input
from libra_vrrp.why import Why


def test_the_committed_page_is_what_the_machine_does() -> None:
    assert states.PAGE.read_text(encoding="utf-8") == states.page(), "make generate"


def test_every_input_is_tried() -> None:
    assert {type(given) for given in states.INPUTS} == set(get_args(Input))


def test_every_reason_is_at_an_arrow_and_has_a_meaning() -> None:
    drawn = {word for words in states.arrows().values() for word in words}
    assert {str(why) for why in Why} - drawn == {Why.TRACKED}, "libra_vrrp/priority.py says that"
    assert set(states.MEANINGS) == set(Why)


def test_there_is_one_arrow_from_one_state_to_another() -> None:
    lines = [line for line in states.page().splitlines() if " --> " in line and ": " in line]
    ends = [line.partition(":")[0] for line in lines]
    assert len(ends) == len(set(ends)) == len(states.arrows())


def test_nothing_leads_out_of_stopped_and_no_reason_is_left_blank() -> None:
    found = states.arrows()
    assert not any(before == "Stopped" for before, _ in found)
    assert all(word for words in found.values() for word in words)
