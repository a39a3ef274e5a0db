"""What is said of a priority that tracked objects move."""

from dataclasses import replace

import pytest

from libra_vrrp.contribution import Contribution, Moved
from libra_vrrp.priority import explained, summed, weighed
from libra_vrrp.reports import Transition, Weighed
from libra_vrrp.tracking import Tracking

GW = Moved("program.gw", Contribution(-40, "program gw: exit status 1"))
WEB = Moved("service.web", Contribution(-20, "service web is down"))
HAND = Moved("file.hand", Contribution(None, "file hand says 1"))
BACKUP = Transition(
    "front", "backup", "master", "higher_priority", "", 51, "eth0", 90, 1.0, ("192.0.2.10",),
    "192.0.2.2", 0.0, 1.5,
)  # fmt: skip
MADE_OF = "priority 90 instead of 150: -40 (program gw: exit status 1), -20 (service web is down)"


def test_another_reason_for_the_same_sum_is_no_change() -> None:
    other = replace(GW, by=replace(GW.by, why="program gw: exit status 2"))
    assert summed(110, Tracking((GW,))) == summed(110, Tracking((other, HAND)))
    assert summed(110, Tracking((GW,))) != summed(110, Tracking((replace(GW, source="file.x"),)))


def test_a_priority_is_told_with_what_it_is_made_of() -> None:
    assert weighed("front", 90, 150, Tracking((GW, WEB, HAND)), 1.5) == Weighed(
        "front",
        90,
        150,
        (
            ("program.gw", -40, "program gw: exit status 1"),
            ("service.web", -20, "service web is down"),
        ),
        1.5,
    )


def test_a_state_says_which_objects_move_its_priority() -> None:
    assert explained(BACKUP, 150, Tracking((GW, WEB))) == replace(BACKUP, detail=MADE_OF)
    said = replace(BACKUP, detail="so it is")
    assert explained(said, 150, Tracking((GW, WEB))).detail == f"so it is; {MADE_OF}"


def test_a_state_names_the_first_of_many() -> None:
    many = tuple(replace(WEB, source=f"service.{i}") for i in range(7))
    assert explained(BACKUP, 150, Tracking(many)).detail.endswith("is down), and 2 more")


@pytest.mark.parametrize("tracking", [Tracking(), Tracking((HAND,))])
def test_a_state_that_nothing_moves_says_nothing(tracking: Tracking) -> None:
    assert explained(BACKUP, 150, tracking) == BACKUP


@pytest.mark.parametrize(
    ("detail", "why"),
    [
        pytest.param("file hand says 1", "tracked", id="a tracked object"),
        pytest.param("interface eth0 is down", "fault", id="its own interface"),
        pytest.param("file hand says 1; interface eth0 is down", "fault", id="both"),
        pytest.param("", "fault", id="nothing"),
    ],
)
def test_a_fault_says_whether_it_is_a_tracked_object(detail: str, why: str) -> None:
    fault = replace(BACKUP, state="fault", why="fault", detail=detail)
    assert explained(fault, 150, Tracking((GW, HAND))) == replace(fault, why=why)
