"""What counts of every tracked object, as the machine is told."""

from libra_vrrp.contribution import NOTHING, Contribution, Moved
from libra_vrrp.orders import Tracked, dumps
from libra_vrrp.settle import Delays
from libra_vrrp.standing import EXPLAINED, Sight, Standing, look, orders
from libra_vrrp.watched import Seen

FAILS = Contribution(-40, "program gw: exit status 1")


def sight(contribution: Contribution | None, delays: Delays | None = None) -> Sight:
    return {"front": (Seen("program.gw", contribution, delays or Delays()),)}


def told(standing: Standing, seen: Sight) -> Tracked:
    (order,) = orders(standing, seen)
    return order


def test_what_moves_an_instance_is_told() -> None:
    failing = sight(FAILS)
    assert told(look(Standing(), failing, 0.0), failing) == Tracked(
        "front", (Moved("program.gw", FAILS),)
    )


def test_what_moves_nothing_is_not_told() -> None:
    fine = sight(NOTHING)
    assert told(look(Standing(), fine, 0.0), fine) == Tracked("front", ())


def test_of_what_nothing_is_known_the_machine_holds_what_it_had() -> None:
    unknown = sight(None)
    standing = look(Standing(), unknown, 0.0)
    assert standing == Standing()
    assert told(standing, unknown) == Tracked("front", (), held=("program.gw",))


def test_what_was_known_and_is_not_seen_now_stands() -> None:
    standing = look(look(Standing(), sight(FAILS), 0.0), sight(None), 1.0)
    assert told(standing, sight(None)).moved == (Moved("program.gw", FAILS),)


def test_what_nobody_tracks_any_more_is_forgotten() -> None:
    standing = look(Standing(), sight(FAILS), 0.0)
    assert look(standing, {"front": ()}, 1.0) == Standing()
    assert orders(standing, {}) == ()


def test_a_change_that_must_last_is_told_when_it_has() -> None:
    delays = Delays(down_for=3.0)
    standing = look(Standing(), sight(NOTHING, delays), 0.0)
    failing = sight(FAILS, delays)
    early = look(standing, failing, 1.0)
    assert (early.due, told(early, failing).moved) == (4.0, ())
    late = look(early, failing, 4.0)
    assert (late.due, told(late, failing).moved) == (float("inf"), (Moved("program.gw", FAILS),))


def test_an_order_of_a_thousand_objects_is_one_datagram() -> None:
    why = Contribution(None, "x" * 250)
    many = {"front": tuple(Seen(f"service.{'n' * 55}{i:04}", why) for i in range(1000))}
    order = told(look(Standing(), many, 0.0), many)
    assert len(order.moved) == 1000
    assert order.moved[EXPLAINED - 1].by.why == why.why
    assert order.moved[EXPLAINED].by.why == order.moved[EXPLAINED].source
    assert len(dumps(order)) < 1 << 18
