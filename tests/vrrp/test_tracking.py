"""What is tracked for one virtual router."""

from libra_vrrp.contribution import Contribution, Moved
from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.orders import Tracked, TrackedLink
from libra_vrrp.rtnetlink import LinkHeld
from libra_vrrp.settle import Delays
from libra_vrrp.tracking import Tracking, hear, look

GW = Moved("program.gw", Contribution(-40, "program gw: exit status 1"))
FILE = Moved("file.hand", Contribution(None, "file hand says 1"))
INF = float("inf")


def interfaces(*, up: bool) -> Interfaces:
    return fold(Interfaces(), [LinkHeld(2, "eth1", up, b"\2\0\0\0\0\1")])


def test_nothing_tracked_moves_nothing() -> None:
    known = Tracking()
    assert (known.moved, known.deltas, known.faults, known.due) == ((), (), frozenset(), INF)


def test_what_the_reporter_says_counts() -> None:
    known = hear(Tracking(), Tracked("front", (GW, FILE)))
    assert known.deltas == (-40,)
    assert known.faults == {"file hand says 1"}


def test_an_object_of_which_nothing_is_known_stands_as_it_stood() -> None:
    known = hear(Tracking(told=(GW, FILE)), Tracked("front", (), held=("program.gw",)))
    assert known.told == (GW,)


def test_an_object_that_is_not_named_any_more_moves_nothing() -> None:
    assert hear(Tracking(told=(GW,)), Tracked("front", ())) == Tracking()


def test_an_interface_without_a_weight_is_a_fault_while_it_is_down() -> None:
    wanted = (TrackedLink("eth1"), TrackedLink("eth9"))
    known = look(Tracking(), wanted, interfaces(up=False), 0.0)
    assert known.faults == {"interface eth1 is down", "interface eth9 does not exist"}
    assert look(known, wanted[:1], interfaces(up=True), 0.0).faults == frozenset()


def test_an_interface_with_a_weight_moves_the_priority() -> None:
    wanted = (TrackedLink("eth1", -30),)
    known = look(Tracking(told=(GW,)), wanted, interfaces(up=False), 0.0)
    assert known.deltas == (-30, -40)
    assert known.moved[0].source == "interface.eth1"
    assert look(known, wanted, interfaces(up=True), 0.0).deltas == (-40,)


def test_an_interface_counts_once_its_state_has_lasted() -> None:
    wanted = (TrackedLink("eth1", -30, Delays(up_for=5.0)),)
    down = look(Tracking(), wanted, interfaces(up=False), 0.0)
    coming = look(down, wanted, interfaces(up=True), 1.0)
    assert (coming.deltas, coming.due) == ((-30,), 6.0)
    assert look(coming, wanted, interfaces(up=True), 6.0).deltas == ()


def test_an_interface_that_is_not_tracked_any_more_is_forgotten() -> None:
    down = look(Tracking(), (TrackedLink("eth1"),), interfaces(up=False), 0.0)
    assert look(down, (), interfaces(up=False), 0.0) == Tracking()
