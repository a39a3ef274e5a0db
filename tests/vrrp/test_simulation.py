"""Directors on a simulated network, under a virtual clock: production's routers, every mishap.

What must hold stands in `simulation/conduct.py` (one process) and `simulation/peace.py` (all of
them). A failure prints its timeline and the command that plays its world once more.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.vrrp.simulation.play import on_safe_interfaces, play
from tests.vrrp.simulation.world import World

from libra_vrrp.shell.virtual_router import VirtualRouter

SEEDS = 3000
"""Worlds in `make test`, about four minutes of CPU, on every core; `make simulate` plays others."""
PART = 250
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_whatever_happens_every_promise_is_kept(first: int) -> None:
    command = [sys.executable, "-m", "tests.vrrp.simulation", f"--first={first}", f"--seeds={PART}"]
    played = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert played.returncode == 0, played.stdout + played.stderr


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
    failures = filter(None, map(play, range(100)))
    found = next(failure for failure in failures if "after its fence" in failure.told)
    assert str(found).endswith(f"once more: make simulate SEED={found.seed}")
