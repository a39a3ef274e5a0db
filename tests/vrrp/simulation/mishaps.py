"""What befalls the world: each mishap begins when it is called, and returns how long it lasts.

A mishap tells the engine when it begins and when it ends; these are the causes of what follows.
"""

import errno
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tests.vrrp.simulation.cluster import another
from tests.vrrp.simulation.engine import Engine
from tests.vrrp.simulation.host import Host
from tests.vrrp.simulation.network import Network, Weather
from tests.vrrp.simulation.wires import Wires

from libra_vrrp.shell.leaving import AT_ONCE, LATER
from libra_vrrp.states import Released, Yield


@dataclass(frozen=True, slots=True)
class Scene:
    """Whom and what mishaps befall."""

    network: Network
    wires: Wires
    hosts: Sequence[Host]
    dice: random.Random

    @property
    def engine(self) -> Engine:
        """Return what has things happen."""
        return self.network.engine

    def any_host(self) -> Host:
        """Return a victim."""
        return self.dice.choice(self.hosts)


Mishap = Callable[[Scene], float]


def kill(scene: Scene) -> float:
    """Kill a machine; its guard starts it again."""
    scene.any_host().kill()
    return 0.3


def kill_guard(scene: Scene) -> float:
    """Kill a guard, its machine ends; somebody starts both again later."""
    host, seconds = scene.any_host(), scene.dice.uniform(0.1, 5)
    host.kill_guard()
    scene.engine.after(seconds, host.start)
    return seconds


def kill_all(scene: Scene) -> float:
    """Kill a machine and its guard; somebody starts it again later."""
    host, seconds = scene.any_host(), scene.dice.uniform(0.5, 8)
    host.kill_all()
    scene.engine.after(seconds, host.start)
    return seconds


def forge(scene: Scene) -> float:
    """End a tether although both ends live, as who is on the path between them can.

    Where he likes he answers in place of the other host too; an end alone makes nobody believe.
    """
    host, other = scene.dice.sample(scene.hosts, 2)
    ends = [one for one in scene.wires.between(host.node, other.node) if one.own == host.node]
    error, is_lying = scene.dice.choice([0, errno.ECONNRESET]), scene.dice.random() < 0.5
    if is_lying:
        scene.wires.is_lying.add((host.node, other.node))
        scene.engine.after(0.5, partial(scene.wires.is_lying.discard, (host.node, other.node)))
        scene.wires.forged_at[host.node, other.node] = scene.engine.now
    for end in ends:
        end.forge(error)
    scene.engine.disturb("network", f"the tether of {host.name} to {other.name} ends ({error})")
    return 0.5


def cut(scene: Scene) -> float:
    """Have a host's administrator end its connections (ss -K), which its machine makes again."""
    host = scene.any_host()
    for end in scene.wires.between(host.node):
        if end.own == host.node:
            end.destroy()
    scene.engine.disturb(host.name, "its connections are destroyed")
    return 0


def stop(scene: Scene) -> float:
    """Stop a service in order, and start it again."""
    host, seconds = scene.any_host(), scene.dice.uniform(0.1, 6)
    host.stop(lambda: scene.engine.after(seconds, host.start))
    return seconds + 3


def restart(scene: Scene) -> float:
    """Start a service anew, in place or a while after it ended; it keeps what it can."""
    host, told = scene.any_host(), scene.dice.choice([AT_ONCE, AT_ONCE, LATER])
    seconds = scene.dice.uniform(0.05, 0.2) if told == AT_ONCE else scene.dice.uniform(0.1, 3)
    host.leave(told, lambda left: scene.engine.after(seconds, partial(host.start, left)))
    return seconds + 3


def pause(scene: Scene) -> float:
    """Stop a machine, its guard or both for a while (SIGSTOP, SIGCONT)."""
    host, seconds = (
        scene.any_host(),
        scene.dice.choice([scene.dice.uniform(0.05, 2), scene.dice.uniform(1, 9)]),
    )
    who = scene.dice.choice(["machine", "machine", "both", "both", "guard"])
    process, warden = host.process, host.warden
    if process is not None and who != "guard":
        host.pause(process, is_reading=scene.dice.random() < 0.3)
        scene.engine.after(seconds, partial(host.resume, process))
    if warden is not None and who != "machine":
        scene.engine.disturb(host.name, "its guard is paused")
        warden.pause()
        scene.engine.after(seconds, warden.resume)
    return seconds


def outage(scene: Scene) -> float:
    """Switch a host off, and on again."""
    host, seconds = scene.any_host(), scene.dice.uniform(0.5, 8)
    host.power(on=False)
    scene.engine.after(seconds, partial(host.power, on=True))
    return seconds


def unplug(scene: Scene) -> float:
    """Pull a cable, and plug it in again."""
    host, seconds = scene.any_host(), scene.dice.uniform(0.1, 8)
    host.plug(up=False)
    scene.engine.after(seconds, partial(host.plug, up=True))
    return seconds


def partition(scene: Scene) -> float:
    """Cut the network in two, and heal it."""
    seconds = scene.dice.uniform(0.1, 9)
    scene.network.sides[:] = [scene.dice.randrange(2) for _ in scene.hosts]
    scene.engine.disturb("network", f"partition {scene.network.sides}")
    scene.engine.after(seconds, partial(_heal, scene))
    return seconds


def one_way(scene: Scene) -> float:
    """Let one host be deaf to another, which hears it."""
    seconds = scene.dice.uniform(0.1, 6)
    first, second = scene.dice.sample(range(len(scene.hosts)), 2)
    scene.network.deaf.add((first, second))
    scene.engine.disturb("network", f"{second} does not hear {first}")
    scene.engine.after(seconds, partial(_heal, scene))
    return seconds


def bad_weather(scene: Scene) -> float:
    """Lose, repeat and hold up packets."""
    seconds = scene.dice.uniform(0.5, 6)
    loss = scene.dice.choice([0.02, 0.2, 0.5])
    before, scene.network.weather = (
        scene.network.weather,
        Weather(loss, 0.1, scene.dice.choice([0, 0.1, 0.3])),
    )
    scene.engine.disturb("network", f"{scene.network.weather}")

    def clear_up() -> None:
        scene.network.weather = before
        scene.engine.disturb("network", "the weather is good again")

    scene.engine.after(seconds, clear_up)
    return seconds + scene.network.lateness


def lock(scene: Scene) -> float:
    """Hold a kernel's RTNL lock."""
    host, seconds = (
        scene.any_host(),
        scene.dice.choice([scene.dice.uniform(0.05, 1.2), scene.dice.uniform(1, 15)]),
    )
    host.kernel.stuck_until = max(host.kernel.stuck_until, scene.engine.now + seconds)
    scene.engine.disturb(host.name, f"RTNL is held for {seconds:.3f} s")
    scene.engine.after(seconds, partial(scene.engine.disturb, host.name, "RTNL is free"))
    return seconds


def refuse(scene: Scene) -> float:
    """Have a kernel refuse addresses; what was refused is tried again after ten seconds."""
    host, seconds = scene.any_host(), scene.dice.uniform(0.05, 4)
    place = scene.dice.choice(scene.dice.choice(host.orders).places)
    host.kernel.errno, host.kernel.refused = errno.ENOBUFS, frozenset({place.address})
    scene.engine.disturb(host.name, f"the kernel refuses {place.address}")

    def accept() -> None:
        host.kernel.errno = 0
        scene.engine.disturb(host.name, f"the kernel takes {place.address}")

    scene.engine.after(seconds, accept)
    return seconds + 10.5


def lose_answers(scene: Scene) -> float:
    """Lose a kernel's answers."""
    host, seconds = scene.any_host(), scene.dice.uniform(0.05, 4)
    host.kernel.loses_answers = True
    scene.engine.disturb(host.name, "the kernel's answers are lost")

    def hear() -> None:
        host.kernel.loses_answers = False
        scene.engine.disturb(host.name, "the kernel is heard")

    scene.engine.after(seconds, hear)
    scene.engine.after(
        seconds + 5.1, partial(scene.engine.disturb, host.name, "answers are given up")
    )
    return seconds + 5.1


def edit(scene: Scene) -> float:
    """Have another process remove an address."""
    host = scene.any_host()
    place = scene.dice.choice(scene.dice.choice(host.orders).places)
    scene.engine.disturb(host.name, f"somebody removes {place.address}")
    host.kernel.edit(place.address)
    return 0


def fail_over(scene: Scene) -> float:
    """Have the operator hand an instance over, and perhaps take that back."""
    host, hold = scene.any_host(), scene.dice.uniform(0.5, 8)
    name = scene.dice.choice(host.orders).name
    host.instruct(name, Yield(hold))
    if scene.dice.random() < 0.3:
        scene.engine.after(scene.dice.uniform(0, hold), partial(host.instruct, name, Released()))
    return hold


def weigh(scene: Scene) -> float:
    """Have a tracked object move a priority."""
    host = scene.any_host()
    host.weigh(scene.dice.choice(host.orders).name, scene.dice.choice([0, -20, -60, -300, 30]))
    return 0


def cover(scene: Scene) -> float:
    """Have a copy of the peer's connections be good, or not."""
    host, synced = scene.any_host(), scene.dice.random() < 0.7
    scene.engine.disturb(host.name, f"synced: {synced}")
    if host.process is not None:
        host.process.cover(synced=synced)
    return 0


def reload(scene: Scene) -> float:
    """Give every host another list of the same routers, each in its time."""
    seconds = scene.dice.uniform(0, 0.5)
    change, now = another(scene.dice, scene.hosts[0].orders), scene.engine.now
    for host in scene.hosts:
        scene.engine.after(scene.dice.uniform(0, seconds), partial(host.reload, change, now))
    return seconds


def _heal(scene: Scene) -> None:
    scene.network.sides[:] = [0] * len(scene.network.sides)
    scene.network.deaf.clear()
    scene.engine.disturb("network", "whole again")


MISHAPS: tuple[Mishap, ...] = (
    kill, kill, kill_all, kill_guard, stop, restart, pause, pause, pause, outage, unplug,
    partition, partition, one_way, bad_weather, bad_weather, lock, lock, refuse,
    lose_answers, edit, fail_over, weigh, weigh, cover, reload, reload, forge, cut,
)  # fmt: skip
