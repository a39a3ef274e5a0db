"""What one process must not do, whatever befalls it.

- Nothing is said or announced as master past the fence: the moment, by the host's clock, up to
  which the last confirmed renewal, or at first the taking itself, is sure to last.
- The kernel takes no address back from a master that is not past its fence.
- Nobody becomes master before the silence that `Record.earliest` knows, or its turn after a death.
- A master gives way to who has a higher (priority, address), always, and to nobody else; whoever
  else speaks as master is answered at once. Members of a group do it as one of them must.
- At the end of a turn the members of a group are masters all or none.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from tests.vrrp.simulation.record import Record

from libra_vrrp.backup import TURN
from libra_vrrp.codec import OWNER, Advertisement, Received
from libra_vrrp.orders import Instance
from libra_vrrp.renewal import Outcome, Renew
from libra_vrrp.router import STOPPING
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell.tethering import tag_of
from libra_vrrp.shell.virtual_router import VirtualRouter
from libra_vrrp.states import Backup, Input, Master, Released, State, Yield
from libra_vrrp.tether.rank import Standings

ROUNDING = 1e-6


class BrokenError(AssertionError):
    """A promise was broken."""


class Conduct:
    """The records of one process by instance; `clock` is what the host's clock reads by now."""

    def __init__(
        self,
        who: str,
        homes: Mapping[int, IpAddress],
        orders: Iterable[Instance],
        died_at: float | None,
        unclean_at: float,
    ) -> None:
        self._who = who
        self._homes = homes
        self._died_at = died_at
        self._gave_way_at: dict[str, float] = {}
        self._records = {one.name: Record(one, unclean_at) for one in orders}

    def look(self, router: VirtualRouter, clock: float) -> bool:
        """Judge what changed since the last look; say whether a state did."""
        record = self._records[router.order.name]
        if isinstance(router.state, Master) and record.is_outranked:
            raise BrokenError(f"{self._who} stays master though it heard a better one")
        if isinstance(router.state, Master) and record.is_asked:
            raise BrokenError(f"{self._who} does not answer who speaks as master too")
        has_changed = type(record.state) is not type(router.state)
        if has_changed:
            self._judge(record, router.state, clock)
        record.state, record.hold = router.state, None
        record.is_outranked = record.is_asked = False
        return has_changed

    def finish(self, routers: Iterable[VirtualRouter], now: float) -> None:
        """Judge how the routers stand at the end of a turn."""
        for record in self._records.values():
            if record.is_overdue(now):
                raise BrokenError(f"{self._who} does not take over in its turn")
        for group, members in groupby(routers, key=lambda one: one.order.group):
            if group and len({isinstance(one.state, Master) for one in members}) > 1:
                raise BrokenError(f"{self._who} is master for a part of {group!r}")

    def hears(self, name: str, received: Received, now: float) -> None:
        """Note an advertisement that is handed in."""
        record, said = self._records[name], received.advertisement
        record.hear(said.priority, said.interval / 100, received.source, now)
        ours = record.priority, int(self._homes[record.order.family])
        theirs = said.priority, int(received.source)
        is_master = isinstance(record.state, Master)
        record.is_outranked = is_master and theirs > ours
        record.is_asked = is_master and theirs < ours

    def told(self, name: str, given: Input, now: float) -> None:
        """Note what the operator wants."""
        record = self._records[name]
        held = record.held_until
        if isinstance(given, Yield) and isinstance(record.state, Master):
            record.hold = now + given.hold
        elif isinstance(given, Yield) and isinstance(record.state, Backup):
            record.held_until = max(now + given.hold, held or 0.0)
        elif isinstance(given, Released) and held is not None:
            record.held_until = min(now, held)

    def bereaved(self, lost: Standings, living: Sequence[Standings], now: float) -> None:
        """Note that a tether told of a death: who outranks us has its turn before us."""
        for record in self._records.values():
            tag, order = tag_of(record.order), record.order
            said = lost.get(tag)
            if order.tether is None or said is None or said.address != record.master:
                continue
            ours = record.priority, int(self._homes[order.family])
            others = [each[tag] for each in living if tag in each and each[tag].priority]
            turns = sum((one.priority, int(one.address)) > ours for one in others)
            is_asking = order.seal is not None and order.seal.is_required
            record.inherit(now + (turns + is_asking) * TURN)

    def weighs(self, name: str, delta: int) -> None:
        """Note what tracking adds to the priority."""
        self._records[name].delta = delta

    def covers(self, name: str, *, synced: bool) -> None:
        """Note whether the copy of the peer's connections is good."""
        record = self._records[name]
        record.is_covered = record.is_synced = synced

    def says(self, said: Advertisement, clock: float) -> None:
        """Judge an advertisement that is sent."""
        if said.priority == STOPPING:
            return
        record = next(one for one in self._records.values() if one.order.vrid == said.vrid)
        record.is_asked = False
        if not isinstance(record.state, Master) and record.fence <= clock:
            record.fence = clock + record.order.terms.duration - record.order.terms.margin
        elif clock >= record.fence + ROUNDING:
            late = clock - record.fence
            raise BrokenError(f"{self._who} advertises {late:.3f} s after its fence")

    def announces(self, address: IpAddress, clock: float) -> None:
        """Judge a gratuitous ARP that is sent."""
        record = self._owner(address)
        if record is None or clock >= record.fence + ROUNDING:
            raise BrokenError(f"{self._who} announces {address} though it is past its fence")

    def reorder(self, orders: Iterable[Instance]) -> None:
        """Know of another list of the same routers."""
        for one in orders:
            record = self._records[one.name]
            record.order, record.must_inherit = one, False

    def asks(self, job: Renew) -> None:
        """Note a renewal: one that shortens the lease may do so from here on."""
        record = self._records[job.instance]
        record.fence = min(record.fence, _reliable(job, record))

    def renewed(self, outcome: Outcome) -> None:
        """Note what became of a renewal."""
        record = self._records[outcome.renew.instance]
        if isinstance(record.state, Master) and outcome.errno == 0 and not outcome.late:
            record.is_confirmed = True
            record.fence = max(record.fence, _reliable(outcome.renew, record))

    def expires(self, address: IpAddress, clock: float) -> None:
        """Judge that the kernel takes an address back while the process works."""
        record = self._owner(address)
        if record is None:  # of an earlier list
            return
        if isinstance(record.state, Master) and record.is_confirmed and clock < record.fence:
            early = record.fence - clock
            raise BrokenError(f"{self._who} loses {address} {early:.3f} s before its fence")

    def _judge(self, record: Record, after: State, clock: float) -> None:
        before = record.state
        gives_way = isinstance(before, Master) and isinstance(after, Backup)
        if gives_way and not self._may_give_way(record, clock):
            raise BrokenError(f"{self._who} gives way to nobody who is better")
        if isinstance(after, Master):
            self._judge_master(record, before, clock)
            return
        record.fence, record.is_confirmed = float("-inf"), False
        if isinstance(after, Backup):
            record.begin_backup(clock)

    def _may_give_way(self, record: Record, clock: float) -> bool:
        """Say whether it must, or a member of its group that gives way at this very moment."""
        group = record.order.group
        members = [one for one in self._records.values() if group and one.order.group == group]
        if any(_must_give_way(one, clock) for one in (record, *members)):
            self._gave_way_at[group] = clock
            return True
        return bool(group) and self._gave_way_at.get(group) == clock

    def _judge_master(self, record: Record, before: State | None, clock: float) -> None:
        if isinstance(before, Backup):
            early = record.earliest() - clock
            if early > ROUNDING:
                raise BrokenError(f"{self._who} becomes master {early:.3f} s too early")
        elif record.priority != OWNER and not self._may_adopt(record, clock):
            raise BrokenError(f"{self._who} becomes master from {type(before).__name__}")

    def _may_adopt(self, record: Record, clock: float) -> bool:
        return self._died_at is not None and clock - self._died_at < 2 * record.order.interval

    def _owner(self, address: IpAddress) -> Record | None:
        for record in self._records.values():
            if any(place.address == address for place in record.order.places):
                return record
        return None


def _must_give_way(record: Record, clock: float) -> bool:
    is_fenced = isinstance(record.state, Master) and clock >= record.fence
    return record.is_outranked or record.hold is not None or is_fenced


def _reliable(job: Renew, record: Record) -> float:
    return job.asked_at + job.lifetime - record.order.terms.margin
