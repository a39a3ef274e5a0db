"""Play a world; where it broke a promise, tell how, when, and how to see it once more."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from types import TracebackType
from unittest.mock import patch

from tests.vrrp.simulation.conduct import BrokenError
from tests.vrrp.simulation.sealed import on_disks_of_its_own
from tests.vrrp.simulation.world import World

from libra_vrrp.shell import ailments, child, holding, tether_port, tether_to

SHOWN = 120
"""Lines of a timeline before the failure."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed whose world broke a promise; `timeline` is what happened until then."""

    seed: int
    told: str
    timeline: str

    def __str__(self) -> str:
        """Tell it all."""
        return (
            f"{self.timeline}\n\nseed {self.seed}: {self.told}\n"
            f"once more: make simulate SEED={self.seed}"
        )


def play(seed: int) -> Failure | None:
    """Play one world; on a failure play it again for the timeline."""
    with on_safe_interfaces(), _Seeded(seed):
        try:
            World(seed).run()
        except BrokenError as broken:
            return Failure(seed, str(broken), _timeline(seed))
    return None


@dataclass(frozen=True, slots=True)
class _Seeded:
    """Names the seed in whatever fault comes out of its world."""

    seed: int

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, _: type[BaseException] | None, fault: BaseException | None, __: TracebackType | None
    ) -> None:
        """Add the note."""
        if fault is not None:
            fault.add_note(f"once more: make simulate SEED={self.seed}")


@contextmanager
def on_safe_interfaces() -> Iterator[None]:
    """Let every interface have the sysctl that production sets there, and seals their disks."""
    with (
        patch.object(holding, "prepare_interface", lambda _: True),
        patch.object(holding, "is_forwarding", lambda _: False),
        patch.object(ailments, "unfit", lambda *_: None),
        patch.object(tether_to, "log", lambda *_, **__: None),
        patch.object(tether_port, "log", lambda *_, **__: None),
        patch.object(child, "log", lambda *_, **__: None),
        on_disks_of_its_own(),
    ):
        yield


def _timeline(seed: int) -> str:
    world = World(seed, record=True)
    with suppress(BrokenError):
        world.run()
    notes = _told_once(world.engine.notes)[-SHOWN:]
    told = [
        f"  {host.name}: {host.homes[order.family]}, {order.name}: priority {order.priority}, "
        f"interval {order.interval} s, preempt {order.preempt}, lease {order.terms.duration} s, "
        f"start-up delay {order.start_delay} s, clock rate {host.clock.rate:.5f}"
        for host in world.hosts
        for order in host.orders
    ]
    return "\n".join([*told, *notes])


def _told_once(notes: list[tuple[float, str, str]]) -> list[str]:
    """Return a line per note; one that a host repeats is told where it began, and counted."""
    lines: list[str] = []
    for (who, what), run in groupby(notes, key=lambda note: note[1:]):
        times = [at for at, _, _ in run]
        again = f"  (... {times[-1]:.4f}, {len(times)} times)" if len(times) > 1 else ""
        lines.append(f"{times[0]:9.4f}  {who:8}{what}{again}")
    return lines
