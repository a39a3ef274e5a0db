"""One owner, whatever befalls the host: its links, its clock, its addresses, its kernel's lock."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from errno import ENOBUFS
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path

import pytest
from tests.kernel.conftest import VIP, Director, until
from tests.kernel.stages import (
    BUSY,
    INTERVAL,
    LEASE,
    PATIENCE,
    TIMES,
    Note,
    Stage,
    rehearse,
    restarted,
    stages,
    strike,
)
from tests.kernel.stages import note as note  # noqa: PLC0414 - a fixture
from tests.kernel.stages import pairs as pairs  # noqa: PLC0414 - a fixture
from tests.kernel.test_vrrp_stress import rtnl_held

from libra_vrrp.orders import Place
from libra_vrrp.shell.virtual_router import RETRY_REFUSED

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(600)]

CHAINS = 4
LENGTH = TIMES // CHAINS
"""How often the address goes on in a chain: it has so many directors, and one more."""
SLOW = 0.5
"""The interval of the chains in seconds: none of six is ready while another is on its way."""
FROZEN = 60.0
LATE = 0.05
"""Seconds that an advert may be late on a busy machine; a held lock is no reason."""
INSIDE, ON_LO = IPv4Address("10.1.0.1"), IPv4Address("10.2.0.1")
SYSCTLS = "net/ipv4/conf"


def furnish(director: Director) -> None:
    """Give a director another interface; there and on lo it holds addresses of the instance too.

    It takes the settings of its interfaces for right: what is wrong the kernel has to say.
    """
    give_inside(director)
    settings = director.state / "settings"
    for name in ("all", "eth0", "inside0", "lo"):
        (settings / SYSCTLS / name).mkdir(parents=True)
        (settings / SYSCTLS / name / "promote_secondaries").write_text("1")
    director.environment = {"LIBRA_PROC_SYS": str(settings)}
    others = Place("inside0", INSIDE), Place("lo", ON_LO)
    director.order = replace(director.order, places=(*director.order.places, *others))
    director.write()


def give_inside(director: Director) -> None:
    director.node.ip(
        "link add inside0 type veth peer name inside1", "link set inside0 up", "link set inside1 up"
    )


def has_all(director: Director) -> bool:
    """Say whether it has the addresses beside the one that everybody watches."""
    return director.owns(INSIDE, "inside0") and director.owns(ON_LO, "lo")


def has_any(director: Director) -> bool:
    """Say whether it has one of the addresses beside the one that everybody watches."""
    return director.owns(INSIDE, "inside0") or director.owns(ON_LO, "lo")


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Stage]]:
    """Keep four networks of six directors each, who follow each other; what they say is kept."""
    directory = tmp_path_factory.mktemp("chains")
    with stages(directory, CHAINS, "abcdef"[: LENGTH + 1], SLOW, prepare=furnish) as made:
        yield made


@dataclass
class Frozen:
    """Who was stopped whole, its guard and its machine, and when."""

    stage: Stage
    director: Director
    since: float
    took: float
    shared: float


@pytest.fixture(scope="module")
def frozen(chains: list[Stage]) -> list[Frozen]:
    """Freeze all of each chain but the last, one master after the other."""

    def act(one: Stage) -> Frozen:
        owner, heir = one.master(), one.heir()
        since = time.monotonic()
        owner.node.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        one.out.add(owner.node.name)
        one.owned_by(heir.node.name)
        assert one.in_time(heir, stopped)
        shared = one.seen.shared(since)
        return Frozen(one, owner, stopped, one.took(heir, stopped), shared)

    return rehearse(chains, act)


def test_an_interface_that_is_removed_moves_all_and_one_made_anew_serves_again(
    chains: list[Stage], note: Note
) -> None:
    def act(one: Stage) -> float:
        owner, heir = one.master(), one.heir()
        since = time.monotonic()
        owner.node.ip("link del inside0")
        took = one.taken_over(heir, since, shared=SLOW)
        until(lambda: has_all(heir), PATIENCE, "the other addresses are there too")
        give_inside(owner)
        assert not has_any(owner)
        assert one.in_time(heir, since, 0.0)
        return took

    took = rehearse(chains, act)
    note("interface removed: until the next has the address", took)


def test_an_address_that_the_kernel_refuses_moves_all(chains: list[Stage], note: Note) -> None:
    """Below an MTU of 68 it has no IPv4 on an interface: ENOBUFS (net/ipv4/devinet.c)."""

    def act(one: Stage) -> float:
        owner, since = one.master(), time.monotonic()
        owner.node.ip("link set lo mtu 60")
        heir = one.successor(owner)
        took = one.taken_over(heir, since, shared=SLOW)
        until(lambda: has_all(heir), PATIENCE, "the other addresses are there too")
        owner.node.ip("link set lo mtu 65536")
        assert not has_any(owner)
        assert owner.log is not None
        said = owner.log.read_text()
        assert f"the kernel refused an address (errno {ENOBUFS})" in said
        assert one.in_time(heir, since, LEASE / 4)
        return took

    took = rehearse(chains, act)
    refused = time.monotonic()
    note("address refused: until the next has the address", took)
    until(lambda: time.monotonic() > refused + RETRY_REFUSED + SLOW, PATIENCE, "all try again")


def test_what_is_frozen_whole_is_succeeded_and_its_lease_ends(
    frozen: list[Frozen], note: Note
) -> None:
    note("frozen whole: until the next has the address", [each.took for each in frozen])
    note("frozen whole: two owners", [each.shared for each in frozen])
    assert len(frozen) == TIMES
    assert max(each.shared for each in frozen) <= LEASE + 1


@pytest.mark.parametrize("how", ["down", "without a carrier"])
def test_a_link_that_goes_down_and_up_moves_the_address_once(
    pairs: list[Stage], note: Note, how: str
) -> None:
    def act(one: Stage) -> float:
        owner, heir = one.master(), one.heir()
        since = time.monotonic()
        if how == "down":
            owner.node.ip("link set eth0 down")
        else:
            owner.node.cut()
        gone = time.monotonic()
        one.owned_by(heir.node.name)
        if how == "down":
            owner.node.ip("link set eth0 up")
        else:
            owner.node.heal()
        one.taken_over(heir, since)
        assert one.in_time(heir, gone)
        return one.took(heir, gone)

    note(f"link {how}: until the other has the address", rehearse(pairs, act))


def test_an_address_removed_or_added_by_another_process_ends_in_one_owner(
    pairs: list[Stage], note: Note
) -> None:
    def act(one: Stage) -> float:
        owner, heir = one.master(), one.heir()
        since = time.monotonic()
        owner.node.ip(f"addr del {VIP}/32 dev eth0")
        until(lambda: one.seen.taken(owner.node.name, since), PATIENCE, "it is brought back")
        gap = one.seen.gap(since)
        heir.node.ip(f"addr add {VIP}/32 dev eth0")
        until(lambda: one.seen.owners() == {"a", "b"}, PATIENCE, "both hold it")
        until(lambda: len(one.said(owner, since)) > 4, PATIENCE, "time passes")
        heir.node.ip(f"addr del {VIP}/32 dev eth0")
        one.settle(owner.node.name)
        assert one.said(heir, since) == []
        assert gap <= LEASE / 4 + BUSY
        return gap

    note("removed by another: until the next renewal", rehearse(pairs, act))


def test_the_hosts_own_address_comes_and_goes_and_no_lease_takes_it_along(
    pairs: list[Stage],
) -> None:
    """Once under a master that lives, and once more under the lease of one that is dead."""

    def act(one: Stage) -> None:
        anew(one.master())
        since = time.monotonic()
        until(lambda: len(one.seen.moves(since)) != 1, PATIENCE, "nobody has half moved")
        until(lambda: one.seen.adverts[-1].at > since + INTERVAL, PATIENCE, "somebody is master")
        one.settle(one.owner())
        owner, heir = one.master(), one.heir()
        strike(owner)
        anew(owner)
        assert owner.owns(VIP)
        one.owned_by(heir.node.name)
        (own,) = owner.node.addresses["eth0"]
        assert owner.owns(IPv4Address(own.partition("/")[0]))
        owner.start()
        one.settle(heir.node.name)

    assert len(rehearse(pairs, act)) == TIMES


def anew(director: Director) -> None:
    """Remove the host's own address and add it again, so that the virtual one comes first."""
    (own,) = director.node.addresses["eth0"]
    director.node.ip(f"addr del {own} dev eth0", f"addr add {own} dev eth0")


def test_a_held_rtnl_lock_moves_nobody(pairs: list[Stage], note: Note) -> None:
    """All networks of a kernel wait for one lock, for 1 s."""
    longest = []
    for _ in range(TIMES // len(pairs)):
        for one in pairs:
            one.settle(one.owner())
        since = time.monotonic()
        with rtnl_held(pairs[0].client):
            pass
        for one in pairs:
            times = [since, *(said.at for said in one.said(one.master(), since)), time.monotonic()]
            longest.append(max(later - before for before, later in pairwise(times)))
            assert one.seen.moves(since) == []
            assert one.said(one.heir(), since) == []
    note("RTNL held for 1 s: the longest without an advert", longest)
    assert max(longest) <= INTERVAL + LATE


@pytest.mark.parametrize("how", ["hung", "killed"])
def test_of_three_the_right_one_succeeds_and_nothing_flaps(
    tmp_path: Path, note: Note, how: str
) -> None:
    """Its machine hung, or all of it killed; also when it is back."""

    def act(one: Stage) -> float:
        owner, heir = one.master(), one.heir()
        (third,) = (d for d in one.directors.values() if d is not owner and d is not heir)
        hung = owner.pid("machine")
        assert hung is not None
        since = time.monotonic()
        if how == "hung":
            os.kill(hung, signal.SIGSTOP)
            done = time.monotonic()
            one.taken_over(heir, since)
            restarted(owner, hung)
        else:
            strike(owner)
            done = time.monotonic()
            one.owned_by(heir.node.name)
            owner.start()
            one.settle(heir.node.name)
        took = one.took(heir, done)
        heard = len(one.seen.adverts)
        until(lambda: len(one.seen.adverts) > heard + 6, PATIENCE, "six more intervals pass")
        assert len(one.seen.moves(since)) == 2
        assert one.said(third, since) == []
        assert one.seen.shared(since) <= (0 if how == "hung" else LEASE + 1)
        assert one.in_time(heir, done)
        return took

    with stages(tmp_path, 4, "ace") as made:
        took = rehearse(made, act)
    note(f"of three, one {how}: until the right one has the address", took)


def test_what_was_frozen_for_a_minute_says_nothing_when_it_thaws(
    chains: list[Stage], frozen: list[Frozen]
) -> None:
    last = max(each.since for each in frozen)
    until(lambda: time.monotonic() > last + FROZEN, FROZEN + PATIENCE, "a minute has passed")
    masters = [one.master() for one in chains]
    thawed = time.monotonic()
    for each in frozen:
        each.director.node.signal(signal.SIGCONT)
    for one, master in zip(chains, masters, strict=True):
        goes_on(one, master, thawed)
    for each in frozen:
        assert each.stage.said(each.director, each.since + BUSY) == []
        assert not has_any(each.director)
    for one, master in zip(chains, masters, strict=True):
        one.out.clear()
        heir, since = one.heir(), time.monotonic()
        master.stop()
        one.owned_by(heir.node.name)
        assert one.in_time(heir, since)
        master.start()
        one.settle(heir.node.name)


def goes_on(one: Stage, master: Director, since: float) -> None:
    """See a master speak on, and nobody take anything."""
    until(lambda: len(one.said(master, since)) > 8, PATIENCE, "time passes")
    one.ask()
    one.settle(master.node.name)
    assert one.seen.moves(since) == []
