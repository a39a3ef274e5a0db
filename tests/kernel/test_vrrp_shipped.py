"""One owner as it is shipped: by a config that leaves intervals, leases and tethers as they are.

The addresses are of both families, some in no advert; routes and rules go with them. The same once
more without tethers, and once under a seal.
"""

import ctypes
import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, Literal, TypeAlias

import pytest
from tests.kernel.conftest import PATIENCE, SIX, VIP, Director, until
from tests.kernel.stages import (
    BUSY,
    LEASE,
    PRIORITIES,
    Note,
    patience,
    rehearse,
    remains,
    restarted,
    skew,
    stage,
)
from tests.kernel.stages import note as note  # noqa: PLC0414 - a fixture
from tests.kernel.test_vrrp_tether import OWN, Tied, key_file, slay

from libra_schemas.config import Config
from libra_vrrp.backup import TURN
from libra_vrrp.wanted import instances

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(600)]

Kind: TypeAlias = Literal["untied", "tied", "sealed"]

PAIRS, TRIOS = 5, 4
INTERVAL: Final = 1.0
AT_ONCE: Final = 0.05
"""Seconds in which the death of a process moves the address, beside the turns (design §12)."""
EXCLUDED: Final = 8
"""Addresses in no advert: with them a renewal has more answers than the least buffer takes."""
ALL: Final = 2 + EXCLUDED + 3
"""What a master has: an address of each family, those in no advert, two routes and a rule."""
KEY: Final = bytes(range(32))
PIDFD_GETFD: Final = 438
"""Its number, the same on every kernel (asm-generic/unistd.h)."""


class Shipped(Tied):
    """Directors as a config has them; without tethers there is none to wait for."""

    @property
    def is_untied(self) -> bool:
        """Say whether the config switched the tethers off."""
        return all(one.order.tether is None for one in self.directors.values())

    def is_tied(self) -> bool:
        """Say whether every tether that is wanted is there."""
        return self.is_untied or super().is_tied()

    def settle(self, name: str) -> None:
        """Wait until this one has all that a master has, and nobody else has any of it."""
        super().settle(name)
        until(lambda: self.has_all(name), PATIENCE, f"all is with {name}")

    def has_all(self, name: str) -> bool:
        """Say whether this one has all of the addresses, routes and rules, and nobody any else."""
        counts = {one: len(remains(director)) for one, director in self.directors.items()}
        return counts == {one: ALL if one == name else 0 for one in self.directors}

    def cue(self) -> tuple[Director, Director]:
        """Wait until everybody knows who is master, until any moment; return it and its heir."""
        owner, heir = self.master(), self.heir()
        self.settle(owner.node.name)
        since = time.monotonic()
        until(lambda: len(self.said(owner, since)) > 2, PATIENCE, "the master is heard")
        self.rest_for(random.random())
        return owner, heir


def document(names: str, kind: Kind, key: str) -> Config:
    """Write a config for directors of these names, a key file at `key` where they have a seal."""
    front = {
        "interface": "eth0",
        "vrid": 51,
        "priority": {name: PRIORITIES[name] for name in names},
        "addresses": [f"{VIP}/24", f"{SIX}/64"],
        "excluded": [
            {"address": f"10.2.0.{n}/32", "interface": "lo"} for n in range(1, EXCLUDED + 1)
        ],
        "routes": [
            {"to": "default", "via": "192.0.2.254", "table": 100},
            {"to": "2001:db8:9::/48", "interface": "eth0", "table": 100},
        ],
        "rules": [{"priority": 1000, "from": "10.1.0.0/16", "table": 100}],
        "preempt": False,
    } | ({"seal": {"key_file": key}} if kind == "sealed" else {})
    return Config.model_validate(
        {
            "version": 1,
            "nodes": {name: {"address": str(OWN[name])} for name in names},
            "instances": {"front": front},
            "tether": {"enabled": kind != "untied"},
        }
    )


@contextmanager
def shipped_to(state: Path, count: int, names: str, kind: Kind) -> Iterator[list[Shipped]]:
    """Make networks side by side, with everybody started."""

    def furnish(director: Director) -> None:
        key = key_file(director.state, director.node.name, KEY)
        found = instances(document(names, kind, str(key)), director.node.name)
        director.order, *others = found
        director.others = tuple(others)
        director.write()

    with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        bare = [
            stack.enter_context(stage(state / str(number), names, prepare=furnish))
            for number in range(count)
        ]
        made = [Shipped(one.directors, one.client, one.seen) for one in bare]
        list(pool.map(Shipped.start, made))
        yield made


@pytest.fixture(scope="module")
def shipped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Shipped]]:
    """Keep pairs of one kind, whatever is done to them."""
    directory = tmp_path_factory.mktemp("shipped")
    with shipped_to(directory, PAIRS, "ab", request.param) as made:
        yield made


def turns(one: Shipped) -> float:
    """Return the seconds that the highest of the rest leaves the master to answer, under a seal."""
    return TURN if one.master().order.seal else 0.0


@pytest.mark.parametrize("shipped", ["tied", "sealed", "untied"], indirect=True)
def test_a_hung_machine_is_succeeded_within_three_intervals(
    shipped: list[Shipped], note: Note, request: pytest.FixtureRequest
) -> None:
    """Never two owners (design §12)."""

    def act(one: Shipped) -> float:
        owner, heir = one.cue()
        hung = owner.pid("machine")
        assert hung is not None
        since = time.monotonic()
        os.kill(hung, signal.SIGSTOP)
        took = one.taken_over(heir, since)
        with pytest.raises(ProcessLookupError):
            os.kill(hung, signal.SIGCONT)
        restarted(owner, hung)
        return took

    took = rehearse(shipped, act)
    note(f"{request.node.callspec.id}, hung: until the other has the address", took)
    assert max(took) <= 3 * INTERVAL


@pytest.mark.parametrize("shipped", ["tied", "sealed"], indirect=True)
def test_a_killed_guard_takes_the_machine_along_in_order(
    shipped: list[Shipped], note: Note, request: pytest.FixtureRequest
) -> None:
    """The tether says nothing then: priority 0 does, and the skew is waited for."""

    def act(one: Shipped) -> float:
        owner, heir = one.cue()
        assert owner.parent is not None
        since = time.monotonic()
        owner.parent.kill()
        owner.parent.wait()
        until(lambda: owner.node.processes() == [], PATIENCE, "nothing of it is left")
        assert remains(owner) == []
        owner.start()
        took = one.taken_over(heir, since)
        assert took <= skew(heir) + BUSY
        return took

    took = rehearse(shipped, act)
    note(f"{request.node.callspec.id}, guard killed: until the other has the address", took)


@pytest.mark.parametrize("shipped", ["tied", "sealed"], indirect=True)
def test_machine_and_guard_killed_together_are_succeeded_at_once(
    shipped: list[Shipped], note: Note, request: pytest.FixtureRequest
) -> None:
    """Both hold the address for the lease then, and a second more at the most (design §12)."""

    def act(one: Shipped) -> tuple[float, float]:
        owner, heir = one.cue()
        bound = turns(one) + AT_ONCE
        since = slay(owner)
        took = one.takes(heir, since)
        one.owned_by(heir.node.name)
        shared = one.seen.shared(since)
        assert shared <= LEASE + 1
        owner.start()
        one.settle(heir.node.name)
        assert took <= bound
        return took, shared

    seen = rehearse(shipped, act)
    kind = request.node.callspec.id
    note(f"{kind}, all killed: until the other has the address", [took for took, _ in seen])
    note(f"{kind}, all killed: two owners", [shared for _, shared in seen])


@pytest.mark.parametrize("shipped", ["tied"], indirect=True)
def test_what_is_frozen_whole_is_succeeded_and_says_nothing_when_it_thaws(
    shipped: list[Shipped], note: Note
) -> None:
    """Its kernel keeps the tethers, so that silence alone tells."""

    def act(one: Shipped) -> tuple[float, float]:
        owner, heir = one.cue()
        since = time.monotonic()
        owner.node.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        took = one.takes(heir, stopped)
        one.owned_by(heir.node.name)
        shared = one.seen.shared(since)
        owner.signal(signal.SIGCONT, "machine")  # long before it, the guard would kill it
        owner.node.signal(signal.SIGCONT)
        one.settle(heir.node.name)
        assert one.said(owner, stopped + BUSY) == []
        assert took <= patience(heir) + BUSY
        assert shared <= LEASE + 1
        return took, shared

    seen = rehearse(shipped, act)
    note("frozen whole: until the other has the address", [took for took, _ in seen])
    note("frozen whole: two owners", [shared for _, shared in seen])


@pytest.mark.parametrize("shipped", ["tied"], indirect=True)
def test_an_answer_of_the_kernel_that_is_lost_moves_nobody(
    shipped: list[Shipped], note: Note
) -> None:
    """Its socket is too small for all answers to one renewal: it is overrun (ENOBUFS)."""

    def act(one: Shipped) -> float:
        owner, _ = one.cue()
        machine = owner.pid("machine")
        assert machine is not None
        since = time.monotonic()
        narrowed = overrun(machine)
        assert narrowed
        took = until(
            lambda: not narrowed <= asking(machine).keys(), PATIENCE, "it asks by another socket"
        )
        one.rest_for(LEASE + 1)
        one.settle(owner.node.name)
        assert one.seen.moves(since) == []
        assert owner.pid("machine") == machine
        assert took <= LEASE / 4 + BUSY
        return took

    note("answer lost: until it is noticed", rehearse(shipped, act))


def asking(process: int) -> dict[str, int]:
    """Return the sockets by which a process asks over rtnetlink, in no group: their descriptors."""
    rows = [line.split() for line in Path(f"/proc/{process}/net/netlink").read_text().splitlines()]
    wanted = {f"socket:[{row[9]}]" for row in rows[1:] if row[1] == "0" and not int(row[3], 16)}
    found = {}
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            if (name := str(descriptor.readlink())) in wanted:
                found[name] = int(descriptor.name)
    return found


def overrun(process: int) -> set[str]:
    """Leave these sockets hardly room for answers, and return which: the process knows nothing."""
    libc, found = ctypes.CDLL(None), asking(process)
    pidfd = os.pidfd_open(process)
    for descriptor in found.values():
        with socket.socket(fileno=libc.syscall(PIDFD_GETFD, pidfd, descriptor, 0)) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    os.close(pidfd)
    return set(found)


@pytest.fixture
def trios(tmp_path: Path) -> Iterator[list[Shipped]]:
    """Make networks of three directors each."""
    with shipped_to(tmp_path, TRIOS, "abc", "tied") as made:
        yield made


def test_the_next_in_rank_takes_over_a_turn_later_where_the_first_hangs(
    trios: list[Shipped], note: Note
) -> None:
    def act(one: Shipped) -> float:
        owner, heir = one.cue()
        (last,) = one.directors.keys() - {owner.node.name, heir.node.name}
        heir.node.signal(signal.SIGSTOP)
        since = slay(owner)
        took = one.takes(one.directors[last], since)
        until(lambda: one.directors[last].owns(SIX), PATIENCE, "all of it is there, and said")
        heir.node.signal(signal.SIGCONT)
        owner.start()
        one.settle(last)
        assert TURN <= took <= TURN + AT_ONCE
        return took

    note("the first in rank hangs: until the next has the address", rehearse(trios, act))
