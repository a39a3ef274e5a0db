"""Idle timeouts are learned from ends of like age."""

from math import inf

import pytest

from libra_health.hold import idle


@pytest.mark.parametrize(
    ("lives", "known"),
    [
        pytest.param((), None, id="nothing"),
        pytest.param((60.0, 60.0), None, id="too few"),
        pytest.param((60.0, 61.0, 60.4), 60.0, id="alike"),
        pytest.param((60.0, 65.9, 60.4), 60.0, id="a tenth apart"),
        pytest.param((60.0, 80.0, 60.0), None, id="not alike"),
        pytest.param((2.0, 2.4, 2.1), 2.0, id="short ones alike"),
        pytest.param((2.0, 2.9, 2.1), None, id="short ones not alike"),
    ],
)
def test_ends_of_like_age_make_a_timeout(lives: tuple[float, ...], known: float | None) -> None:
    assert idle.timeout(lives) == known


def test_only_the_last_ends_count() -> None:
    lives: tuple[float, ...] = ()
    for life in (5.0, 90.0, 60.0, 60.0, 60.0):
        lives = idle.learned(lives, life)
    assert idle.timeout(lives) == 60.0


def test_a_connection_is_renewed_before_its_server_would_end_it() -> None:
    assert idle.allowed((60.0, 60.0, 60.0)) == 54.0
    assert idle.allowed((60.0,)) == inf
