"""Directors on a simulated network, under a virtual clock: production's routers, every mishap.

What must hold stands in `simulation/conduct.py` (one process) and `simulation/peace.py` (all of
them). A failure prints its timeline and the command that plays its world once more.
"""

import pytest
from tests.vrrp.simulation.play import on_safe_interfaces, play
from tests.vrrp.simulation.world import World

from libra_vrrp.shell.virtual_router import VirtualRouter

SEEDS = 1000
"""Worlds in `make test`, about a minute of CPU; `make simulate` plays others."""
PART = 100


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_whatever_happens_every_promise_is_kept(first: int) -> None:
    for seed in range(first, first + PART):
        failure = play(seed)
        assert failure is None, str(failure)


def test_a_seed_plays_the_same_world_again() -> None:
    first, again = (played(11) for _ in range(2))
    assert first == again
    assert len(first) > 20


def played(seed: int) -> list[tuple[float, str, str]]:
    with on_safe_interfaces():
        world = World(seed, record=True)
        world.run()
    return world.engine.notes


def test_a_fault_of_the_code_is_found_and_told_with_its_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(VirtualRouter, "fence", lambda _self, _now: None)
    failures = (play(seed) for seed in range(100))
    found = next(failure for failure in failures if failure is not None)
    assert "after its fence" in found.told
    assert str(found).endswith(f"once more: make simulate SEED={found.seed}")
