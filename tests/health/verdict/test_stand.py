import pytest

from libra_health.verdict.stand import Stand, event_type

UP, DOWN = Stand(up=True), Stand(up=False)
HELD = Stand(up=True, held=True, weight=1)


@pytest.mark.parametrize(
    ("stand", "before", "kind"),
    [
        (UP, None, "backend.up"),
        (DOWN, None, "backend.down"),
        (HELD, UP, "backend.held"),
        (DOWN, HELD, "backend.down"),
        (UP, HELD, "backend.up"),
        (Stand(up=False, damped=True), DOWN, "backend.down"),
        (Stand(up=True, weight=7), UP, "backend.weight"),
        (UP, Stand(up=True, weight=7), "backend.weight"),
        (Stand(up=True, weight=7), DOWN, "backend.up"),
        (Stand(up=True, seen=False), Stand(up=True, seen=True), "backend.seen"),
        (Stand(up=True, seen=False, weight=7), Stand(up=True, seen=True), "backend.weight"),
        (Stand(up=False, seen=False), Stand(up=True, seen=False), "backend.down"),
    ],
)
def test_the_event_names_what_changed(stand: Stand, before: Stand | None, kind: str) -> None:
    assert event_type(stand, before) == kind


def test_how_far_a_slow_start_is_is_no_news_by_itself_but_its_end_is() -> None:
    early, late = Stand(up=True, weight=1, ramp=10), Stand(up=True, weight=1, ramp=19)
    assert late.says_as(early)
    assert not Stand(up=True, weight=1).says_as(late)
    assert not UP.says_as(None)


@pytest.mark.parametrize(
    ("stand", "own"),
    [
        (UP, True),
        (DOWN, False),
        (HELD, False),
        (Stand(up=True, seen=False), False),
        (Stand(up=False, seen=True), True),
    ],
)
def test_what_a_node_sees_itself_is_its_own_word_whatever_the_votes_made_of_it(
    stand: Stand, own: bool
) -> None:
    assert stand.own is own
