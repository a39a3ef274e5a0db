"""What former processes left goes where this node has no instance, unless somebody works here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import pytest
from tests.vrrp.test_vmacs import ETH0, OURS, known

from libra_vrrp.interfaces import Interfaces
from libra_vrrp.renewal import Cleared, Job, Sweep, Unmake
from libra_vrrp.rtnetlink import Answered
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.claim import Claim
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.roster import Roster
from libra_vrrp.shell.upkeep import Upkeep
from libra_vrrp.shell.vmacs import Vmacs

LEFT, NOTHING = known(ETH0, OURS), known(ETH0)
SWEEP, UNMAKE = Sweep(()), Unmake((7,))


@dataclass
class House:
    """A machine; its routers are a list, and what is asked aside is answered by hand."""

    claim: Claim
    interfaces: Interfaces = LEFT
    routers: list[object] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    questions: list[Callable[[Any, float], None]] = field(default_factory=list)
    vmacs: Vmacs = field(init=False)
    upkeep: Upkeep = field(init=False)
    links: Any = None

    def __post_init__(self) -> None:
        self.links = self
        self.vmacs = Vmacs(cast("Aside", self), self.work, self.look_at)
        self.upkeep = Upkeep(cast("Roster", self), cast("Ground", self), cast("Aside", self))

    def __iter__(self) -> Iterator[object]:
        return iter(self.routers)

    def do(self, _: object, then: Callable[[Any, float], None]) -> None:
        self.questions.append(then)

    def work(self, job: Job) -> None:
        self.jobs.append(job)

    def look_at(self, when: float) -> None:
        pass

    def wanted_vmacs(self) -> frozenset[object]:
        return frozenset()

    def begin(self, *, entries: bool) -> None:
        """Look for the first time; say what the kernel answers."""
        self.upkeep.look(0.0)
        [answer] = self.questions
        answer(entries, 0.1)

    def done(self, *refused: tuple[int, Answered]) -> None:
        """Have all jobs done, in order."""
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            assert isinstance(job, Sweep | Unmake)
            self.upkeep.cleared(Cleared(job, refused if isinstance(job, Unmake) else ()), 0.2)


@pytest.fixture
def name() -> str:
    return f"\0libra-vrrp-test-{uuid4()}"


@pytest.fixture
def house(name: str) -> Iterator[House]:
    made = House(Claim(name))
    yield made
    made.claim.close()


def test_what_is_left_goes_and_so_does_the_claim(house: House) -> None:
    house.begin(entries=True)
    assert house.jobs == [UNMAKE, SWEEP]
    house.done()
    assert house.claim.is_held
    house.interfaces = NOTHING
    house.upkeep.look(0.3)
    house.upkeep.look(0.4)
    assert (house.claim.is_held, house.jobs, len(house.questions)) == (False, [], 1)


@pytest.mark.parametrize(
    ("entries", "interfaces", "jobs"),
    [
        pytest.param(True, NOTHING, [SWEEP], id="routes"),
        pytest.param(False, LEFT, [UNMAKE, SWEEP], id="an interface"),
        pytest.param(False, NOTHING, [], id="nothing"),
        pytest.param(OSError(1, "no"), NOTHING, [], id="who knows"),
    ],
)
def test_the_claim_is_taken_for_what_is_left_alone(
    house: House, entries: Any, interfaces: Interfaces, jobs: list[Job]
) -> None:
    house.interfaces = interfaces
    house.begin(entries=entries)
    assert (house.jobs, house.claim.is_held) == (jobs, bool(jobs))
    house.interfaces = NOTHING
    house.done()
    assert not house.claim.is_held


def test_what_another_one_works_with_is_left_alone(house: House, name: str) -> None:
    other = Claim(name)
    other.take()
    house.begin(entries=True)
    house.upkeep.look(0.2)
    assert (house.jobs, house.claim.is_held) == ([], False)
    other.close()


def test_an_interface_that_the_kernel_keeps_is_asked_to_go_again(house: House) -> None:
    house.begin(entries=False)
    house.done((7, Answered(1, 1)))
    assert house.claim.is_held
    house.upkeep.look(house.vmacs.retry_at())
    assert house.jobs == [UNMAKE]


def test_with_routers_it_is_theirs_to_sweep_and_the_claim_stays(house: House) -> None:
    house.routers = [object()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.vmacs, "hush", lambda *_: None)
        house.upkeep.look(0.0)
        assert (house.questions, house.jobs) == ([], [])
        house.claim.take()
        house.upkeep.cleared(Cleared(Sweep(())), 0.1)
        house.routers = []
        house.interfaces = NOTHING
        house.upkeep.look(0.2)
    assert (house.claim.is_held, house.questions) == (True, [])


def test_routers_that_come_meanwhile_keep_the_claim(house: House) -> None:
    house.begin(entries=True)
    house.routers = [object()]
    house.interfaces = NOTHING
    house.done()
    house.routers = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.vmacs, "hush", lambda *_: None)
        house.upkeep.look(0.3)
    assert house.claim.is_held
