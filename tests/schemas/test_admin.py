from libra_schemas.admin import READY, Will, join, keys_of
from libra_schemas.events import AdminState


def admin(mode: str = "ready", **more: object) -> AdminState:
    return AdminState.model_validate(
        {"entity": ("backend", "web", "w1"), "mode": mode, "who": "op", **more}
    )


def test_nobody_spoke_means_ready() -> None:
    assert join("a", (None, None, None)) == READY


def test_the_stricter_mode_wins_wherever_it_was_said() -> None:
    assert join("a", (admin("maint"), None, admin("drain"))) == Will("maint")
    assert join("a", (None, admin("drain"), admin("ready"))) == Will("drain")


def test_the_narrower_weight_wins() -> None:
    assert join("a", (None, admin(weight=5), admin(weight=7))) == Will("ready", 7)
    assert join("a", (None, admin(weight=5), admin())) == Will("ready", 5)


def test_a_state_for_another_node_does_not_speak_of_this_one() -> None:
    assert join("a", (admin("drain", node="b"),)) == READY
    assert join("b", (admin("drain", node="b"),)) == Will("drain")


def test_entities_are_listed_widest_first() -> None:
    assert keys_of("a", "web", "w1") == (
        ("node", "a"),
        ("service", "web"),
        ("backend", "web", "w1"),
    )
