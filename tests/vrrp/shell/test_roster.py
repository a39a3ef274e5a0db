"""The list of routers read again: who stays, who goes, and in which order addresses move."""

import json
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network
from pathlib import Path
from uuid import uuid4

import pytest

from libra_vrrp import kept, routing
from libra_vrrp.codec import GROUP, Advertisement, Datagram, Received
from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Instance, Place, Seal
from libra_vrrp.renewal import Job, Laid, Outcome, Remove, Renew, Sweep, Unmake
from libra_vrrp.reports import Report, Transition, word
from libra_vrrp.routing import Route, Rule
from libra_vrrp.rtnetlink import AddressHeld, IpAddress, LinkHeld, Target
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.claim import Claim
from libra_vrrp.shell.leaving import AT_ONCE, LATER, leave
from libra_vrrp.shell.links import Links
from libra_vrrp.shell.roster import Roster
from libra_vrrp.shell.seals import Seals
from libra_vrrp.shell.vmacs import Vmacs
from libra_vrrp.states import Backup, Fail, Master, Recover

FIRST, SECOND, MOVING = (IPv4Address(f"192.0.2.{n}") for n in (10, 11, 12))
LINK = LinkHeld(2, "eth0", up=True, mac=b"\2\0\0\0\0\1")
OWN = AddressHeld(2, IPv4Address("192.0.2.1"), 24)
ONE = Instance("one", "eth0", 51, 255, (Place("eth0", FIRST),))
TWO = Instance("two", "eth0", 52, 255, (Place("eth0", SECOND),))
LOWER = Received(Advertisement(51, 100, 100, (FIRST,)), IPv4Address("192.0.2.2"), GROUP[4])


class Alone(Claim):
    """Nobody is in the way of a machine that needs no socket to say so."""

    def take(self) -> bool:
        return False


@dataclass
class Ground:
    """What a machine would do, written down."""

    roster: Roster
    told: list[Transition] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    said: list[Datagram] = field(default_factory=list)
    claim: Claim = field(default_factory=Alone)
    interfaces: Interfaces = field(default_factory=lambda: fold(Interfaces(), [LINK, OWN]))
    seals: Seals = field(init=False)
    links: Links = field(default_factory=lambda: Links(Aside(), lambda _, __: None, lambda _: None))
    vmacs: Vmacs = field(init=False)

    def __post_init__(self) -> None:
        self.seals = Seals(Path("/nowhere/starts.json"), self, lambda *_: None, lambda _: None)
        self.vmacs = Vmacs(Aside(), self.work, lambda _: None)

    @property
    def virtual(self) -> frozenset[IpAddress]:
        return self.roster.virtual()

    def send(self, _order: Instance, datagram: Datagram) -> bool:
        self.said.append(datagram)
        return True

    def announce(self, _interface: str, _frame: bytes, _until: float) -> bool:
        return True

    def work(self, job: Job) -> None:
        self.jobs.append(job)

    def tell(self, report: Report) -> None:
        if isinstance(report, Transition):
            self.told.append(report)

    def alarm(
        self, instance: str, kind: str, peer: IpAddress | None, detail: str, reason: str = ""
    ) -> None:
        pass

    def count(self, name: str) -> None:
        pass

    def confirm(self, now: float) -> None:
        """Answer every renewal that was asked for."""
        for job in self.jobs:
            if isinstance(job, Renew) and (one := self.roster.get(job.instance)):
                one.done(Outcome(job, 0, late=False), now)
        self.jobs.clear()

    def kernel(self) -> set[IpAddress]:
        """Return what the jobs, done in order, leave of the address that moves."""
        held: set[IpAddress] = {MOVING}
        for job in self.jobs:
            if isinstance(job, Sweep | Unmake):
                continue
            addresses = {one.address for one in job.targets}
            held = held | addresses if isinstance(job, Renew) else held - addresses
        return held & {MOVING}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return furnished(tmp_path, monkeypatch)


def furnished(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the list of routers is to be, on a node whose settings are right."""
    for name, value in (
        ("ipv4/conf/eth0/promote_secondaries", 1),
        ("ipv6/conf/eth0/disable_ipv6", 0),
    ):
        setting = place / "net" / name
        setting.parent.mkdir(parents=True)
        setting.write_text(str(value))
    monkeypatch.setenv("LIBRA_PROC_SYS", str(place))
    return place / "routers.jsonl"


def begun(file: Path, *instances: Instance) -> Ground:
    """Return the ground of a roster that was started, every router master (priority 255)."""
    ground = Ground(Roster(file, None))
    read(file, ground, 0.0, *instances)
    links = Links(Aside(), lambda _, __: None, lambda _: None)
    ground.roster.start(ground, links, 0.0)
    ground.confirm(0.0)
    return ground


def read(file: Path, ground: Ground, now: float, *instances: Instance) -> None:
    file.write_bytes(kept.dump_instances(instances))
    ground.roster.reload(ground, now)


@pytest.mark.parametrize("giver_first", [True, False])
def test_an_address_that_moves_between_instances_stays(file: Path, *, giver_first: bool) -> None:
    pair = (ONE, TWO) if giver_first else (TWO, ONE)
    moving = Place("eth0", MOVING)
    before = [replace(ONE, places=(*ONE.places, moving)), TWO]
    after = {"one": ONE, "two": replace(TWO, places=(*TWO.places, moving))}
    ground = begun(file, *before)
    read(file, ground, 0.1, *(after[one.name] for one in pair))
    assert ground.kernel() == {MOVING}


def test_an_address_of_an_instance_that_is_no_more_can_go_to_another(file: Path) -> None:
    moving = Place("eth0", MOVING)
    ground = begun(file, replace(ONE, places=(*ONE.places, moving)), TWO)
    read(file, ground, 0.1, replace(TWO, places=(*TWO.places, moving)))
    assert ground.kernel() == {MOVING}
    assert ground.roster.get("one") is None


def test_a_list_that_makes_no_sense_changes_nothing(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ground = begun(file, ONE, TWO)
    read(file, ground, 0.1, replace(ONE, vrid=300), TWO)
    assert [router.order for router in ground.roster] == [ONE, TWO]
    assert ground.jobs == []
    assert json.loads(capsys.readouterr().err)["why"] == "one: vrid 300 is not within 1-255"


def test_a_longer_lease_moves_no_fence_before_the_kernel_knows_of_it(file: Path) -> None:
    """Found by review: a renewal asked for under the old terms counted by the new ones."""
    ground = begun(file, ONE)
    [router] = ground.roster
    router.tick(0.5)
    [under_way] = ground.jobs
    read(file, ground, 0.6, replace(ONE, terms=Terms(30)))
    assert isinstance(under_way, Renew)
    assert router.held_until == 1.5
    router.done(Outcome(under_way, 0, late=False), 0.7)
    assert router.held_until == 2.0
    router.tick(0.7)
    assert [job.lifetime for job in ground.jobs if isinstance(job, Renew)] == [2, 30]
    ground.jobs = ground.jobs[1:]
    ground.confirm(0.8)
    assert router.held_until == 0.7 + 30 - 0.5


def test_a_shorter_lease_takes_no_mastership_away(file: Path) -> None:
    ground = begun(file, replace(ONE, terms=Terms(30)))
    [router] = ground.roster
    read(file, ground, 5.0, ONE)
    ground.confirm(5.0)
    ground.roster.turn([], readings(5.1, 5.1))
    assert (word(router.state), router.held_until) == ("master", 6.5)


def test_a_backup_knows_when_its_copy_of_the_connections_is_good_and_when_no_more(
    file: Path,
) -> None:
    ground = begun(file, replace(ONE, priority=100), TWO)
    one, two = ground.roster
    for coverage in (0.93, None):
        ground.roster.cover(coverage, 0.1)
        assert isinstance(one.state, Backup)
        assert one.state.coverage == coverage
        assert isinstance(two.state, Master)
    one.give(Fail("x"), 0.2)
    ground.roster.cover(0.93, 0.3)
    one.give(Recover("x"), 0.4)
    assert isinstance(one.state, Backup)
    assert one.state.coverage == 0.93


def test_every_router_knows_when_the_service_began_that_follows_an_unclean_exit(
    file: Path,
) -> None:
    file.write_bytes(kept.dump_instances((ONE, TWO)))
    ground = Ground(Roster(file, unclean_at=3.0))
    ground.roster.reload(ground, 4.0)
    assert [one.router.unclean_at for one in ground.roster] == [3.0, 3.0]


def test_every_advert_that_was_due_is_counted_as_late_as_it_was(file: Path) -> None:
    ground = begun(file, ONE, replace(TWO, interval=0.5))
    assert ground.roster.turn([], readings(0.25, 0.25)) == []
    assert ground.roster.turn([], readings(0.625, 0.625)) == [0.125]
    assert ground.roster.turn([], readings(1.25, 1.25)) == [0.25, 0.25]


def test_a_notice_costs_work_in_proportion_to_the_routers(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by review: all the others' addresses were gathered anew for each of 255 routers."""
    many = [
        replace(ONE, name=f"r{vrid}", vrid=vrid, places=(Place("eth0", FIRST + vrid),))
        for vrid in range(1, 256)
    ]
    ground = begun(file, *many)
    gathered = Counter[str]()

    def counted(order: Instance) -> tuple[Place, ...]:
        gathered[order.name] += 1
        return order.places + order.excluded

    monkeypatch.setattr(Instance, "held", property(counted))
    for one in ground.roster:
        one.look(1.0)
    assert set(gathered) == {one.name for one in many}
    assert max(gathered.values()) < 5


def test_virtual_addresses_are_those_of_the_last_reading(file: Path) -> None:
    ground = begun(file, ONE, TWO)
    assert ground.virtual == {FIRST, SECOND}
    read(file, ground, 0.1, replace(TWO, places=(Place("eth0", MOVING),)))
    assert ground.virtual == {MOVING}


def readings(*times: float) -> Callable[[], float]:
    """Return a clock that reads these times, one after the other."""
    left = iter(times)
    return lambda: next(left)


def test_a_process_stopped_right_after_it_read_the_clock_fences_before_it_goes_on(
    file: Path,
) -> None:
    """Found by the simulation: thawed, it answered as the master that it was a minute ago."""
    ground = begun(file, ONE)
    [router] = ground.roster
    ground.said.clear()
    hear = partial(router.hear, LOWER)
    ground.roster.turn([hear], readings(0.5, 60.5, 60.5))
    assert (word(router.state), ground.said) == ("backup", [])


def test_one_stopped_while_it_heard_says_nothing_when_its_timer_elapses(file: Path) -> None:
    ground = begun(file, ONE)
    ground.said.clear()
    ground.roster.turn([], readings(0.5, 60.5))
    assert ([word(one.state) for one in ground.roster], ground.said) == (["backup"], [])


def test_a_master_whose_kernel_never_answered_leaves_another_alone_for_a_while(
    file: Path,
) -> None:
    """Found by the simulation: it took over for 1.5 s, again and again, and nobody answered."""
    ground = begun(file, replace(ONE, priority=200))
    [router] = ground.roster
    ground.roster.turn([], readings(4.0, 4.0))
    assert word(router.state) == "master"
    ground.roster.turn([], readings(5.5, 5.5))
    assert word(router.state) == "backup"
    for second in range(6, 15):
        router.hear(LOWER, second)
        ground.roster.turn([], readings(second, second))
        assert word(router.state) == "backup"


def test_a_kernel_that_did_answer_is_not_called_mute_for_an_address_that_is_new(
    file: Path,
) -> None:
    """Found by the simulation: one that slept after a reload left others alone for a while."""
    moving = Place("eth0", MOVING)
    ground = begun(file, replace(ONE, priority=200))
    ground.roster.turn([], readings(4.0, 4.0))
    ground.confirm(4.0)
    read(file, ground, 4.1, replace(ONE, priority=200, places=(*ONE.places, moving)))
    ground.roster.turn([], readings(9.0, 9.0))
    [router] = ground.roster
    assert isinstance(router.state, Backup)
    assert router.state.held_until is None


def test_a_second_machine_on_a_host_is_in_fault_and_touches_nothing_until_the_first_ends(
    file: Path,
) -> None:
    first = Claim(f"\0libra-vrrp-test-{uuid4()}")
    first.take()
    file.write_bytes(kept.dump_instances((ONE,)))
    known = fold(Interfaces(), [LINK, OWN, AddressHeld(2, FIRST, 24, 60)])
    ground = Ground(Roster(file, None), claim=Claim(first.name), interfaces=known)
    ground.roster.reload(ground, 0.0)
    links = Links(Aside(), lambda _, __: None, lambda _: None)
    ground.roster.start(ground, links, 0.0)
    [second] = ground.roster
    assert word(second.state) == "fault"
    assert "another libra-vrrp works in this network namespace" in second.status(0.0).detail
    assert links.retry_at < 1
    read(file, ground, 0.1, replace(ONE, places=(Place("eth0", SECOND),)))
    assert ground.jobs == []
    first.close()
    ground.roster.start(ground, links, 0.5)
    assert word(second.state) == "master"
    ground.claim.close()


GROUPED = replace(ONE, group="nat"), replace(TWO, group="nat")


def states(ground: Ground) -> list[str | None]:
    return [word(one.state) for one in ground.roster]


def test_what_befalls_one_of_a_group_befalls_all_and_is_told(file: Path) -> None:
    ground = begun(file, *GROUPED)
    one = ground.roster.get("one")
    assert one is not None
    assert [router.tick(0.0) for router in ground.roster] == [None, None]
    ground.confirm(0.0)
    assert states(ground) == ["master", "master"]
    one.give(Fail("eth9 is down"), 1.0)
    assert states(ground) == ["fault", "fault"]
    assert [(each.instance, each.why, each.detail) for each in ground.told[-2:]] == [
        ("one", "fault", "eth9 is down"), ("two", "group", "one is in fault"),
    ]  # fmt: skip
    one.give(Recover("eth9 is down"), 2.0)
    assert states(ground) == ["backup", "backup"]


def test_who_leaves_a_group_is_held_by_it_no_more(file: Path) -> None:
    ground = begun(file, *GROUPED)
    one = ground.roster.get("one")
    assert one is not None
    one.give(Fail("eth9 is down"), 1.0)
    read(file, ground, 2.0, GROUPED[0], TWO)
    assert states(ground) == ["fault", "master"]
    read(file, ground, 3.0, *GROUPED)
    assert states(ground) == ["fault", "fault"]
    read(file, ground, 4.0, GROUPED[1])
    assert states(ground) == ["backup"]


def test_a_group_in_fault_stops_without_a_recovery_in_between(file: Path) -> None:
    ground = begun(file, *GROUPED)
    one = ground.roster.get("one")
    assert one is not None
    one.give(Fail("eth9 is down"), 1.0)
    ground.told.clear()
    ground.roster.stop(2.0)
    assert [(each.instance, each.state) for each in ground.told] == [
        ("two", "stopped"), ("one", "stopped"),
    ]  # fmt: skip


SLOW = replace(ONE, interval=1.0)
QUICK = replace(TWO, interval=0.25)
AWAY = Route(IPv4Network("198.51.100.0/24"), "eth0")


@pytest.mark.parametrize(
    ("orders", "told", "stay"),
    [
        pytest.param((SLOW, QUICK), AT_ONCE, {"one", "two"}, id="at once"),
        pytest.param((SLOW, QUICK), LATER, {"one"}, id="later: others would be quicker than it"),
        pytest.param((replace(SLOW, terms=Terms(3)),), LATER, set(), id="later: a long lease"),
        pytest.param((replace(SLOW, routes=(AWAY,)),), LATER, set(), id="later: a route stays"),
        pytest.param((replace(SLOW, routes=(AWAY,)),), AT_ONCE, {"one"}, id="a route"),
        pytest.param((SLOW, replace(QUICK, priority=100)), AT_ONCE, {"one"}, id="a backup"),
        pytest.param(
            (replace(SLOW, group="g"), replace(QUICK, group="g")), LATER, set(), id="a group"
        ),
    ],
)
def test_who_is_left_to_a_successor_says_so_once_more_and_the_others_stop(
    file: Path, orders: tuple[Instance, ...], told: signal.Signals, stay: set[str]
) -> None:
    ground = begun(file, *orders)
    masters = {one.name for one in ground.roster if isinstance(one.state, Master)}
    ground.said.clear()
    left = leave(ground.roster, frozenset({told}))
    assert left == stay
    ground.roster.stop(2.0, left)
    assert {one.name for one in ground.roster if isinstance(one.state, Master)} == stay
    spoken = [said.message[2] for said in ground.said]
    assert spoken == [255] * len(stay) + [0] * len(masters - stay)
    released = [job.targets for job in ground.jobs if isinstance(job, Remove)]
    assert len(released) == len(masters - stay)


def test_without_a_word_nobody_is_left(file: Path) -> None:
    assert leave(begun(file, SLOW).roster, frozenset()) == frozenset()


@pytest.mark.parametrize("left", [(FIRST, SECOND), (FIRST,)])
def test_a_group_adopts_all_that_its_predecessor_had_or_nothing(
    file: Path, left: tuple[IPv4Address, ...]
) -> None:
    file.write_bytes(kept.dump_instances(tuple(replace(one, priority=150) for one in GROUPED)))
    held = [AddressHeld(2, address, 32, 2) for address in left]
    ground = Ground(Roster(file, 0.0), interfaces=fold(Interfaces(), [LINK, OWN, *held]))
    ground.roster.reload(ground, 0.1)
    links = Links(Aside(), lambda _, __: None, lambda _: None)
    ground.roster.start(ground, links, 0.1)
    assert states(ground) == (["master"] * 2 if len(left) == 2 else ["backup"] * 2)
    released = [job for job in ground.jobs if isinstance(job, Remove)]
    assert [job.targets for job in released] == ([] if len(left) == 2 else [(Target(2, FIRST),)])


def test_who_cannot_adopt_after_all_leaves_nothing_to_the_end_of_the_lease(file: Path) -> None:
    """Found by the simulation: its link had gone down between its death and its start."""
    file.write_bytes(kept.dump_instances((replace(ONE, priority=150),)))
    held = AddressHeld(2, FIRST, 32, 2)
    known = fold(Interfaces(), [replace(LINK, up=False), OWN, held])
    ground = Ground(Roster(file, 0.0), interfaces=known)
    ground.roster.reload(ground, 0.1)
    again(ground, 0.1)
    assert states(ground) == ["fault"]
    assert [job.targets for job in ground.jobs if isinstance(job, Remove)] == [(Target(2, FIRST),)]


def test_a_group_that_cannot_start_whole_starts_in_fault_at_once(file: Path) -> None:
    away = replace(GROUPED[1], interface="eth1", places=(Place("eth1", SECOND),))
    ground = begun(file, GROUPED[0], away)
    assert [(each.instance, each.state, each.why) for each in ground.told] == [
        ("two", "fault", "fault"), ("one", "fault", "group"),
    ]  # fmt: skip


SEALED = replace(ONE, seal=Seal("/nowhere/key"))


def again(ground: Ground, now: float) -> None:
    """Do what the machine does when something changed that routers wait for."""
    ground.roster.start(ground, Links(Aside(), lambda _, __: None, lambda _: None), now)


def test_a_seal_whose_key_is_not_there_leaves_the_master_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground = begun(file, ONE)
    read(file, ground, 0.1, SEALED)
    [one] = ground.roster
    again(ground, 0.2)
    assert (one.order, isinstance(one.state, Master)) == (ONE, True)
    monkeypatch.setattr(ground.seals, "is_early", lambda _: False)
    again(ground, 0.3)
    assert one.order == SEALED


def test_whatever_else_an_order_changes_waits_for_no_key(file: Path) -> None:
    """An address that moves meanwhile moves: nobody else holds it beside us."""
    moving = Place("eth0", MOVING)
    ground = begun(file, replace(ONE, places=(*ONE.places, moving)), TWO)
    after = replace(TWO, places=(*TWO.places, moving))
    read(file, ground, 0.1, SEALED, after)
    assert ground.kernel() == {MOVING}
    assert [one.order for one in ground.roster] == [ONE, after]
    ground.confirm(0.1)
    read(file, ground, 0.2, replace(SEALED, places=(*ONE.places, moving)), TWO)
    assert ground.kernel() == {MOVING}
    assert ground.roster.get("one") is not None
    assert [one.order.held for one in ground.roster] == [(*ONE.places, moving), TWO.places]


def test_a_list_that_makes_no_sense_forgets_no_seal_that_is_to_come(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground = begun(file, ONE)
    read(file, ground, 0.1, SEALED)
    read(file, ground, 0.2, replace(SEALED, vrid=300))
    [one] = ground.roster
    assert one.order == ONE
    monkeypatch.setattr(ground.seals, "is_early", lambda _: False)
    again(ground, 0.3)
    assert one.order == SEALED


def test_a_router_that_is_new_waits_for_its_key(file: Path) -> None:
    ground = begun(file)
    read(file, ground, 0.1, SEALED)
    [one] = ground.roster
    assert (one.order, word(one.state)) == (SEALED, None)


OUT = Route(ip_network("0.0.0.0/0"), "eth0", table=7)
RULE = Rule(4, 100, table=7)
ROUTED = replace(ONE, routes=(OUT,), rules=(RULE,))
ENTRIES = (routing.route(OUT, 2), routing.rule(RULE))


def laid(job: Renew, ground: Ground, now: float) -> None:
    """Answer a renewal and what goes with it."""
    router = ground.roster.get(job.instance)
    assert router is not None
    router.done(Outcome(job, 0, late=False), now)
    router.done(Laid(job, job.entries), now)


def test_a_master_is_told_of_once_its_routes_are_there_too(file: Path) -> None:
    ground = begun(file, ROUTED)
    assert ground.told == []
    ground.roster.turn([], readings(0.5, 0.5))
    (job,) = ground.jobs
    assert isinstance(job, Renew)
    assert job.entries == ENTRIES
    laid(job, ground, 0.6)
    assert [each.state for each in ground.told] == ["master"]


def test_what_a_mastership_had_laid_is_removed_with_its_addresses(file: Path) -> None:
    ground = begun(file, ROUTED)
    ground.roster.stop(0.1)
    assert ground.jobs == [Remove((Target(2, FIRST),), ENTRIES)]


def test_routes_that_a_config_drops_are_removed_and_new_ones_asked_for_at_once(file: Path) -> None:
    ground = begun(file, ROUTED)
    other = Rule(4, 101, table=7)
    read(file, ground, 0.1, replace(ROUTED, rules=(other,)))
    gone, renew = ground.jobs
    assert gone == Remove((), (routing.rule(RULE),))
    assert isinstance(renew, Renew)
    assert renew.entries == (ENTRIES[0], routing.rule(other))


def renamed(ground: Ground) -> None:
    """Have the kernel call eth0 otherwise, and another interface eth0."""
    later = LinkHeld(2, "old0", up=True, mac=LINK.mac), LinkHeld(3, "eth0", up=True, mac=LINK.mac)
    ground.interfaces = fold(ground.interfaces, [*later, replace(OWN, index=3)])


def test_a_route_whose_interface_was_renamed_goes_with_the_rest(file: Path) -> None:
    """Found by review: it stayed on a backup, of the machine's making and of the guard's."""
    ground = begun(file, ROUTED)
    [router] = ground.roster
    before = routing.route(OUT, 2)
    renamed(ground)
    router.tick(0.6)
    [renewal] = ground.jobs
    assert isinstance(renewal, Renew)
    assert renewal.left == (before,)
    ground.jobs.clear()
    router.fence(60.0)
    [removal] = (job for job in ground.jobs if isinstance(job, Remove))
    assert {before, routing.route(OUT, 3)} <= set(removal.entries)


def test_a_route_that_a_config_drops_is_removed_where_it_was_laid_and_once(file: Path) -> None:
    ground = begun(file, ROUTED)
    renamed(ground)
    read(file, ground, 0.1, ONE)
    [removal] = (job for job in ground.jobs if isinstance(job, Remove))
    assert routing.route(OUT, 2) in removal.entries
    [renewal] = (job for job in ground.jobs if isinstance(job, Renew))
    assert renewal.left == ()
    assert [one.entries for one in ground.roster] == [()]


NEAR = Place("eth0", FIRST, 24)
SIX = IPv6Address("2001:db8::10")
AWAY_SIX, NEAR_SIX = Place("eth0", SIX), Place("eth0", SIX, 64)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(ONE.places[0], NEAR, id="connected"),
        pytest.param(NEAR, ONE.places[0], id="connected no more"),
        pytest.param(NEAR, Place("eth0", FIRST, 25), id="another prefix"),
    ],
)
def test_an_address_under_another_prefix_is_there_before_it_goes_with_the_old_one(
    file: Path, before: Place, after: Place
) -> None:
    """Found by review: it was gone for a quarter of the lease, as if it were the host's own."""
    ground = begun(file, replace(ONE, places=(before,), terms=Terms(60)))
    [router] = ground.roster
    held = AddressHeld(2, FIRST, before.length, 60)
    ground.interfaces = fold(ground.interfaces, [held])
    read(file, ground, 0.1, replace(ONE, places=(after,), terms=Terms(60)))
    renewal, removal = ground.jobs
    assert isinstance(renewal, Renew)
    assert renewal.targets == (Target(2, FIRST, after.prefix),)
    assert removal == Remove((Target(2, FIRST, before.prefix),))
    ground.confirm(0.2)
    router.fence(120.0)
    [everything] = (job for job in ground.jobs if isinstance(job, Remove))
    assert {one.prefix for one in everything.targets} == {before.prefix, after.prefix}


def test_an_ipv6_address_goes_before_it_comes_under_another_prefix(file: Path) -> None:
    """The kernel has one of them, and keeps its length (inet6_rtm_newaddr, net/ipv6/addrconf.c)."""
    (setting := file.parent / "net/ipv6/conf/eth0/disable_ipv6").parent.mkdir(
        parents=True, exist_ok=True
    )
    setting.write_text("0")
    local = AddressHeld(2, IPv6Address("fe80::1"), 64)
    six = replace(ONE, places=(Place("eth0", IPv6Address("fe80::10")), AWAY_SIX))
    ground = Ground(Roster(file, None), interfaces=fold(Interfaces(), [LINK, OWN, local]))
    read(file, ground, 0.0, six)
    ground.roster.start(ground, ground.links, 0.0)
    ground.confirm(0.0)
    ground.interfaces = fold(ground.interfaces, [AddressHeld(2, SIX, 128, 60)])
    read(file, ground, 0.1, replace(six, places=(six.places[0], NEAR_SIX)))
    removal, renewal = ground.jobs
    assert removal == Remove((Target(2, SIX),))
    assert isinstance(renewal, Renew)
    assert Target(2, SIX, 64) in renewal.targets


@pytest.mark.parametrize(
    ("before", "after", "order"),
    [
        pytest.param(
            TWO.places[0],
            Place("eth0", SECOND, 24),
            (Renew, Remove),
            id="IPv4: it is there throughout",
        ),
        pytest.param(AWAY_SIX, NEAR_SIX, (Remove, Renew), id="IPv6: it goes and comes at once"),
    ],
)
def test_an_address_keeps_its_prefix_until_a_renewal_under_way_is_done(
    file: Path, before: Place, after: Place, order: tuple[type[Job], ...]
) -> None:
    """Found by review: it was removed at once, and came again when the kernel had answered."""
    one = replace(ONE, excluded=(before,))
    ground = begun(file, one)
    ground.roster.turn([], readings(0.6, 0.6))
    (under_way,) = ground.jobs
    read(file, ground, 0.7, replace(one, excluded=(after,)))
    assert ground.jobs == [under_way]
    ground.confirm(0.8)
    ground.roster.turn([], readings(0.8, 0.8))
    assert tuple(map(type, ground.jobs)) == order
    assert Remove((Target(2, before.address, before.prefix),)) in ground.jobs


def test_an_address_whose_prefix_is_switched_back_in_time_has_it_in_the_end(file: Path) -> None:
    ground = begun(file, ONE)
    ground.roster.turn([], readings(0.6, 0.6))
    read(file, ground, 0.7, replace(ONE, places=(NEAR,)))
    read(file, ground, 0.8, ONE)
    ground.confirm(0.9)
    ground.roster.turn([], readings(0.9, 0.9))
    renewal, removal = ground.jobs
    assert isinstance(renewal, Renew)
    assert renewal.targets == (Target(2, FIRST),)
    assert removal == Remove((Target(2, FIRST, 24),))


def test_an_address_that_is_there_with_two_prefixes_loses_the_one_that_goes(file: Path) -> None:
    """The other one made it look like the host's own: it was left to the end of its lease."""
    ground = begun(file, ONE)
    read(file, ground, 0.1, replace(ONE, places=(NEAR,)))
    both = [AddressHeld(2, FIRST, length, 2) for length in (32, 24)]
    ground.interfaces = fold(ground.interfaces, both)
    ground.confirm(0.2)
    read(file, ground, 0.3, ONE)
    assert ground.jobs[1:] == [Remove((Target(2, FIRST, 24),))]


def test_a_backup_removes_the_address_under_the_old_prefix_alone(file: Path) -> None:
    ground = begun(file, replace(ONE, priority=100))
    read(file, ground, 0.1, replace(ONE, priority=100, places=(NEAR,)))
    assert ground.jobs == [Remove((Target(2, FIRST),))]


def test_what_came_of_an_earlier_mastership_says_nothing(file: Path) -> None:
    ground = begun(file, ROUTED)
    ground.roster.turn([], readings(0.5, 0.5))
    (job,) = ground.jobs
    assert isinstance(job, Renew)
    laid(replace(job, token=job.token - 1), ground, 0.6)
    assert ground.told == []


@pytest.mark.parametrize("died_at", [None, 0.0])
def test_a_machine_keeps_of_what_it_finds_what_it_adopts_and_looks_once(
    file: Path, died_at: float | None
) -> None:
    mine, back = replace(ROUTED, priority=150), replace(TWO, priority=150, rules=(Rule(4, 7),))
    file.write_bytes(kept.dump_instances((mine, back)))
    held = AddressHeld(2, FIRST, 32, 2)
    ground = Ground(Roster(file, died_at), interfaces=fold(Interfaces(), [LINK, OWN, held]))
    ground.roster.reload(ground, 0.1)
    links = Links(Aside(), lambda _, __: None, lambda _: None)
    for _ in range(2):
        ground.roster.start(ground, links, 0.1)
    sweeps = [job for job in ground.jobs if isinstance(job, Sweep)]
    assert sweeps == [Sweep(() if died_at is None else ENTRIES)]


class Rivalled(Alone):
    """Another machine works in this network namespace."""

    def __init__(self) -> None:
        super().__init__()
        self.rival = "another one works here"


def test_nothing_of_a_rivals_is_swept(file: Path) -> None:
    ground = Ground(Roster(file, None), claim=Rivalled())
    read(file, ground, 0.0, ROUTED)
    ground.roster.start(ground, Links(Aside(), lambda _, __: None, lambda _: None), 0.0)
    assert ground.jobs == []


class Succeeding(Rivalled):
    """Another machine worked here, and has ended."""

    def take(self) -> bool:
        had, self.rival = self.rival, None
        return had is not None


def test_what_a_rival_left_is_released_when_it_has_ended(file: Path) -> None:
    """Found by the simulation: a backup kept the addresses of the one before it for their lease."""
    claim = Succeeding()
    ground = Ground(Roster(file, None), claim=claim)
    left = AddressHeld(2, FIRST, 32, valid=2)
    ground.interfaces = fold(ground.interfaces, [left])
    read(file, ground, 0.0, replace(ONE, priority=100))
    ground.roster.start(ground, ground.links, 0.0)
    assert Remove((Target(2, FIRST),)) in ground.jobs
    ground.jobs.clear()
    ground.roster.start(ground, ground.links, 1.0)
    assert ground.jobs == []
