"""The steps of the story, each checked by its effect.

Rule: what counts is what a client, the kernel or the operators' mailbox shows.
"""

import time
from collections.abc import Callable

from libra_lab.answers import longest_silence
from libra_lab.client import Download, ask, fetch
from libra_lab.demo.scene import Scene
from libra_lab.probe import Probe

REQUESTS = 90
CALM = 40
LEASE = 2
"""Seconds: the default of an instance's `lease`."""

DOWNLOAD_SECONDS = 12
DOWNLOAD_BYTES = 3_000_000


class StepFailed(Exception):
    """A step did not hold; the message says what was seen."""


def require(held: bool, otherwise: str) -> None:  # noqa: FBT001  reads as a sentence
    """Raise StepFailed unless *held*."""
    if not held:
        raise StepFailed(otherwise)


def comes_up(scene: Scene) -> None:
    """Fill both tables and settle who owns the addresses."""
    for director in scene.directors:
        director.wait_for_destinations(scene.web, scene.real("w1", "w2", "w3"))
        director.wait_for_destinations(scene.names, scene.direct("u1", "u2"))
    scene.wait_until(lambda: scene.a.owns(scene.lab.web_vip), "a owns the virtual address", 60)
    require(scene.master is scene.a, "b owns the virtual address")
    require(scene.a.owns(scene.lab.gateway), "the inside gateway address is not on a")
    took = time.monotonic() - scene.told.started
    if scene.chaos:
        scene.chaos.start()
    settle(scene)
    scene.told.figure("both directors ready after", f"{took:.1f} s")


def spreads(scene: Scene) -> None:
    """Spread traffic as the scheduler says."""
    settle(scene)
    seen = [fetch(scene.client, f"http://{scene.web}/").text for _ in range(REQUESTS)]
    shares = {name: seen.count(name) for name in ("w1", "w2", "w3")}
    even = REQUESTS // 3
    require(all(abs(n - even) <= 1 for n in shares.values()), f"round robin gave {shares}")
    direct = [ask(scene.client, scene.lab.udp_vip, 53).split()[0] for _ in range(20)]
    halves = {name: direct.count(name) for name in ("u1", "u2")}
    require(all(n == 10 for n in halves.values()), f"UDP round robin gave {halves}")  # noqa: PLR2004
    scene.told.figure("web requests by server", f"{shares}, UDP {halves}")


def loses_one(scene: Scene) -> None:
    """Kill a backend: it leaves the table, no request fails after that, people are told."""
    with Probe(scene.client, f"http://{scene.web}/", interval=0.05) as probe:
        killed = time.monotonic()
        scene.kill_server("w1")
        for director in scene.directors:
            director.wait_for_destinations(scene.web, scene.real("w2", "w3"))
        out = time.monotonic()
        settle(scene)
        calm = time.monotonic() if scene.chaos else out
        probe.wait_for(CALM)
    late = probe.failures(since=calm)
    require(not late, f"{len(late)} requests failed after w1 left the table: {late[:3]}")
    answered = set(probe.shares(since=calm))
    require(answered == {"w2", "w3"}, f"{answered} answered after w1 left the table")
    lost = len(probe.failures())
    scene.told.figure("dead backend out of both tables after", f"{out - killed:.2f} s")
    scene.told.figure("requests lost before / after", f"{lost - len(late)} / {len(late)}")
    tell(scene, "backend.down", "web/w1", ("w1", "down"), killed)


def loses_all(scene: Scene) -> None:
    """Kill all backends: the sorry server answers."""
    killed = time.monotonic()
    scene.kill_server("w2")
    scene.kill_server("w3")
    for director in scene.directors:
        director.wait_for_destinations(scene.web, scene.real("sorry"))
    scene.told.figure("sorry server in after", f"{time.monotonic() - killed:.2f} s")
    settle(scene)
    answer = fetch(scene.client, f"http://{scene.web}/")
    require(answer.text == "sorry", f"{answer} instead of the sorry server")
    hook = scene.ops.wait_for_hook("service.down", "web", killed)
    scene.told.fact(f"webhook service.down of {hook.source}, signature genuine")


def regains_all(scene: Scene) -> None:
    """Bring the backends back: they serve again."""
    back = time.monotonic()
    scene.start_server("w1", "w2", "w3")
    for director in scene.directors:
        director.wait_for_destinations(scene.web, scene.real("w1", "w2", "w3"))
    scene.told.figure("backends in again after", f"{time.monotonic() - back:.2f} s")
    tell(scene, "backend.up", "web/w1", ("w1", "up"), back)
    settle(scene)
    seen = {fetch(scene.client, f"http://{scene.web}/").text for _ in range(9)}
    require(seen == {"w1", "w2", "w3"}, f"{seen} answered")


def loses_a_director(scene: Scene) -> None:
    """Cut the master director off in the middle of a download, which finishes."""
    settle(scene)
    old = scene.master
    new = scene.b if old is scene.a else scene.a
    url = f"http://{scene.web}/slow?bytes={DOWNLOAD_BYTES}&seconds={DOWNLOAD_SECONDS}"
    download = Download(scene.client, url).start()
    time.sleep(2)  # the connection has to live for a while before it is synchronised and moved
    with Probe(scene.client, f"http://{scene.web}/", interval=0.02, timeout=1.0) as probe:
        probe.wait_for(CALM)
        cut = time.monotonic()
        old.node.cut(silent=True)
        scene.wait_until(lambda: new.owns(scene.lab.web_vip), f"{new.name} takes the address", 30)
        probe.wait_for(CALM)
    download.finish()
    require(not download.error, f"the download broke: {download.error}")
    require(download.size == DOWNLOAD_BYTES, f"{download.size} of {DOWNLOAD_BYTES} bytes came")
    silence = longest_silence(download.arrivals)
    scene.told.figure("director cut off, time without service", f"{probe.gap(since=cut):.3f} s")
    scene.told.figure("the download finished, longest silence", f"{silence:.3f} s")
    old.node.heal()
    scene.wait_until(lambda: _home(scene), "a is the only owner again", 60)
    scene.told.fact(f"healed: {scene.master.name} is master, the only owner")


def _home(scene: Scene) -> bool:
    """Tell whether the preferred director alone owns the address: nothing is about to move."""
    return scene.a.owns(scene.lab.web_vip) and not scene.b.owns(scene.lab.web_vip)


STEPS: tuple[Callable[[Scene], None], ...] = (
    comes_up,
    spreads,
    loses_one,
    loses_all,
    regains_all,
    loses_a_director,
)


def run_step(scene: Scene, step: Callable[[Scene], None]) -> None:
    """Run one step, under chaos where asked, and hold the log against the kernel after it.

    Chaos begins with the step; in the first one once there is something to kill.
    """
    scene.told.step((step.__doc__ or "").splitlines()[0])
    if scene.chaos and step is not comes_up:
        scene.chaos.start()
    step(scene)
    settle(scene)
    told_once(scene)
    lines = [director.require_agreement() for director in scene.directors]
    scene.told.fact(f"replay = ipvsadm -Sn on a and b ({lines[0]} and {lines[1]} lines)")


def told_once(scene: Scene) -> None:
    """Require that every webhook so far is genuine, and none came twice unless one was killed."""
    forged = [hook for hook in list(scene.ops.hooks) if not hook.genuine]
    require(not forged, f"webhooks with a wrong signature: {forged}")
    repeated = scene.ops.repeated()
    require(bool(scene.chaos) or not repeated, f"webhooks that came twice: {repeated}")


def settle(scene: Scene) -> None:
    """Let a round of chaos end, and the address come home, before traffic is judged."""
    if scene.chaos:
        scene.chaos.settle()
        # A killed machine's address outlives it by its lease: only past that does it tell anything.
        scene.wait_until(
            lambda: _home(scene), "a is the only owner after chaos", 60, steady=LEASE + 1
        )


def tell(scene: Scene, event: str, subject: str, words: tuple[str, ...], since: float) -> None:
    """Require that the operators were told by webhook and by mail."""
    hook = scene.ops.wait_for_hook(event, subject, since)
    mail = scene.ops.wait_for_mail(words, since)
    scene.told.fact(f"webhook {event} after {hook.at - since:.2f} s, signature genuine")
    scene.told.fact(f"mail after {mail.at - since:.2f} s: {mail.subject}")
