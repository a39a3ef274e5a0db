"""The kernel's table as this writer keeps it: what it holds, what is ours, what was refused."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from libra_ipvs_writer import report
from libra_ipvs_writer.history import Memory, newest_own, remembered, reported
from libra_ipvs_writer.outcome import Result, ResultsByKey, by_key, unsettled
from libra_ipvs_writer.plan import Plan, merge, plan
from libra_ipvs_writer.propose import Proposal, propose
from libra_ipvs_writer.report import Motive, motive_of
from libra_ipvs_writer.settings import Settings
from libra_ipvs_writer.shell.kernel import Kernel
from libra_ipvs_writer.shell.retries import Retries
from libra_ipvs_writer.shell.tally import Tally
from libra_ipvs_writer.shell.voice import NOTHING, Moment, Voice
from libra_ipvs_writer.touch import by_service, causes_of
from libra_runtime import stamp
from libra_runtime.journal import Journal
from libra_schemas.intent.desired import last_verdict
from libra_schemas.intent.fold import RegisterName, State
from libra_schemas.intent.prepared import Prepared
from libra_schemas.operations import apply_to
from libra_schemas.table import Service, ServiceKey, ServiceTable


class KernelTable:
    """What the kernel holds by our last knowledge, and every way in which we change it."""

    def __init__(self, settings: Settings, journal: Journal, kernel: Kernel) -> None:
        self._kernel = kernel
        self._verdicts: dict[str, bool | None] = {}
        self.owners: dict[ServiceKey, str] = {}
        self._foreign: set[str] = set()
        self.held: dict[ServiceKey, ServiceTable] = {}
        self.retries = Retries(settings.retry_first, settings.retry_longest)
        self.voice = Voice(journal)
        self.tally = Tally()

    def names(self, prepared: Prepared) -> frozenset[str]:
        """Name every service that is or was ours."""
        return frozenset((*prepared.pools, *prepared.paths, *self.owners.values()))

    def open(self, state: State, prepared: Prepared | None) -> None:
        """Adopt what the kernel holds, say where it differs from the log, and write."""
        memories = remembered(state)
        self._foreign = set(reported(state))
        self.voice.counts = {each.name: each.changes for each in memories.values()}
        self.owners = {each.key: each.name for each in memories.values() if each.key}
        self.held = self._kernel.read()
        for memory in memories.values():
            self._recall(memory)
        if prepared is None:
            return
        self._adopt(prepared)
        newest = newest_own(state)
        since = [name for name, entry in state.items() if entry.sequence > newest]
        self.write(state, prepared, self.names(prepared), since)

    def _recall(self, memory: Memory) -> None:
        table = self.held.get(memory.key) if memory.key else None
        if report.digest_of(table) != memory.digest:
            self.voice.recorded(memory.name, "start", table)

    def _adopt(self, prepared: Prepared) -> None:
        """Own every service of the config; say those that the kernel held already."""
        for key, name in prepared.owners.items():
            if self.owners.get(key) != name and key in self.held:
                self.voice.recorded(name, "adopted", self.held[key])
            self.owners[key] = name
        for key in self.held.keys() - self.owners.keys():
            self._meet(key, self.held[key])

    def _meet(self, key: ServiceKey, table: ServiceTable) -> None:
        """Report a foreign service, once."""
        name = report.slug(key)
        if name not in self._foreign:
            self._foreign.add(name)
            self.voice.drifted(name, None, table, ours=False)

    def reconfigure(self, prepared: Prepared) -> None:
        """Own what a new config names, by a fresh reading of the kernel."""
        self.reread()
        self._adopt(prepared)

    def reread(self) -> frozenset[str]:
        """Compare the whole table at once; name ours that differ."""
        return frozenset().union(*self.compare())

    def write(
        self,
        state: State,
        prepared: Prepared,
        names: AbstractSet[str],
        registers: Iterable[RegisterName] = (),
    ) -> None:
        """Bring the services *names* to what the log says; *registers* changed just now."""
        if not names:
            return
        touching = by_service(registers, names)
        for name in names - self._verdicts.keys():
            self._verdicts[name] = last_verdict(state, name)
        proposals = propose(state, prepared, names, self.held, self.owners, self._verdicts)
        results, moment = self._perform(merge(each.plan for each in proposals))
        for proposal in proposals:
            causes = causes_of(state, touching.get(proposal.name, ()))
            pool = prepared.pools.get(proposal.name)
            motive = motive_of(causes, pool.places if pool else {})
            self._judge(proposal, motive)
            self._conclude(proposal, results, motive, moment)
        self._doubt([each for each in proposals if unsettled(each.own(results))])

    def _perform(self, planned: Plan) -> tuple[ResultsByKey, Moment]:
        started = time.monotonic()
        results = self._kernel.perform(planned) if planned else []
        took = (time.monotonic() - started) * 1000
        self.tally.count(results)
        return by_key(results), Moment(stamp.now(), took)

    def _judge(self, proposal: Proposal, motive: Motive) -> None:
        wanted = proposal.wanted
        if wanted is None or wanted.verdict.up in (None, self._verdicts.get(proposal.name)):
            return
        self._verdicts[proposal.name] = wanted.verdict.up
        self.voice.verdict(wanted, motive)

    def _conclude(
        self,
        proposal: Proposal,
        results: ResultsByKey,
        motive: Motive,
        moment: Moment,
    ) -> None:
        own = proposal.own(results)
        done = [each.operation for each in own if each.status == "done"]
        if done:
            key = proposal.key or done[0].key
            self.voice.changed(proposal.name, key, self.held, done, motive, moment)
            apply_to(self.held, done)
            self._settle_owners(proposal)
            if self.voice.counts[proposal.name] >= report.RECORD_EVERY:
                self.voice.recorded(proposal.name, "periodic", self.held.get(key))
        if any(each.status == "refused" for each in own):
            self._refuse(proposal.name, own, motive)
        else:
            self.retries.forget(proposal.name)

    def _refuse(self, name: str, own: Sequence[Result], motive: Motive) -> None:
        first = next(each for each in own if each.status == "refused")
        attempt, delay = self.retries.again(name, first.error, first.missing)
        self.voice.refused(name, own, attempt, delay, motive)

    def _settle_owners(self, proposal: Proposal) -> None:
        """Forget former services of ours that the kernel does not hold any more."""
        for key in set(proposal.keys) - {proposal.key}:
            if key not in self.held and self.owners.get(key) == proposal.name:
                del self.owners[key]

    def _doubt(self, proposals: Sequence[Proposal]) -> None:
        """Read again what is unsettled, and no more: drift of others is for `compare` to find."""
        now = self._kernel.read() if proposals else {}
        for proposal in proposals:
            keys = proposal.keys
            for key in keys:
                self.held.pop(key, None)
            self.held |= {key: now[key] for key in keys if key in now}
            self._list(proposal.name, keys)
            self.retries.again(proposal.name)

    def _list(self, name: str, keys: Iterable[ServiceKey]) -> None:
        """Say the listings of *keys* and of all that is owned as *name*, as they are now."""
        owned = [key for key, owner in self.owners.items() if owner == name]
        tables = [self.held.get(key) for key in dict.fromkeys((*keys, *owned))]
        self.voice.listed(name, "repaired", tables)

    def next_retry(self) -> float | None:
        """Tell when (loop time) something refused is due again."""
        return self.retries.next()

    def due(self) -> frozenset[str]:
        """Name the refused services that are due, the kernel read again for them."""
        names = self.retries.due(asyncio.get_running_loop().time())
        return names | self.reread() if names else names

    @property
    def trouble(self) -> str | None:
        """Say in one sentence what the kernel refuses."""
        return self.retries.trouble

    def compare(self) -> Iterator[frozenset[str]]:
        """Compare the kernel with what we know, a service at a time; yield ours that differ.

        What is found becomes what we know, and is said.
        """
        services = {each.key: each for each in self._kernel.services()}
        every = (*services, *(self.held.keys() - services.keys()))
        yield frozenset().union(*(self._compare_service(services, key) for key in every))
        for key in services:
            known = self.held.get(key)
            if known is not None:
                now = ServiceTable.of(known.service, self._kernel.destinations(key))
                yield self._found(key, now)

    def _compare_service(
        self, services: Mapping[ServiceKey, Service], key: ServiceKey
    ) -> frozenset[str]:
        """Compare one service's attributes; read its destinations only where they differ."""
        known, service = self.held.get(key), services.get(key)
        if service is None:
            return self._found(key, None)
        if known is not None and known.service == service:
            return frozenset()
        return self._found(key, ServiceTable.of(service, self._kernel.destinations(key)))

    def _found(self, key: ServiceKey, now: ServiceTable | None) -> frozenset[str]:
        before = self.held.get(key)
        if before == now:
            return frozenset()
        self.held.pop(key, None)
        if now is not None:
            self.held[key] = now
        return self._tell(key, before, now)

    def _tell(
        self, key: ServiceKey, before: ServiceTable | None, now: ServiceTable | None
    ) -> frozenset[str]:
        name = self.owners.get(key)
        if name is None:
            if now is not None:
                self._meet(key, now)
            return frozenset()
        self.tally.drifts += 1
        self.voice.drifted(name, before, now, ours=True)
        self._list(name, [key])
        return frozenset({name})

    def leave(self, prepared: Prepared) -> None:
        """Take out the services that do not outlive LibrA (`on_stop: remove`)."""
        for key, name in prepared.owners.items():
            if prepared.leaves(name) and key in self.held:
                results, moment = self._perform(plan({}, {key: self.held[key]}))
                done = [each.operation for each in results.get(key, []) if each.status == "done"]
                if done:
                    self.voice.changed(name, key, self.held, done, NOTHING, moment)
