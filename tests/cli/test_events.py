"""Which event types `libra events` may be asked for."""

import pytest

from libra_cli.events import unknown


@pytest.mark.parametrize("pattern", ["backend.*", "backend.down", "*", "*.up", "vrrp.[bm]*"])
def test_what_matches_a_type_is_taken(pattern: str) -> None:
    assert unknown([pattern]) is None


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        pytest.param("nonsense", "the areas are backend.*, service.*, vrrp.*", id="nothing near"),
        pytest.param("backend.dwon", "did you mean backend.down?", id="a type"),
        pytest.param("backends.*", "did you mean backend.*?", id="an area"),
        pytest.param("backend", "did you mean backend.*?", id="an area without its star"),
    ],
)
def test_what_matches_none_is_named_with_what_is_near(pattern: str, told: str) -> None:
    wrong = unknown(["vrrp.*", pattern])
    assert wrong is not None
    assert wrong.startswith(f"{pattern!r} is no event type: ")
    assert told in wrong
