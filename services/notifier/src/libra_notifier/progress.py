"""How far one sink is: what waits, what may be tried now, and the mark below which all is done.

Rule: events of one entity go one after the other, entities do not wait for each other; so events
end out of order, and the mark is the sequence before the oldest one still open. The receipts in
the log say which events above the mark are done: mark and receipts are all a restart needs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from libra_schemas.events import Receipt


@dataclass(frozen=True, slots=True)
class Job:
    """An event to tell: *due* in monotonic seconds, *attempts* made, *served* recipients."""

    sequence: int
    entity: str
    attempts: int = 0
    due: float = 0.0
    is_running: bool = False
    served: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Progress:
    """*seen*: every event up to this LOG sequence was considered; *jobs* in LOG order."""

    seen: int
    jobs: tuple[Job, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipts:
    """What the log says is done: everything up to *reader*, and the events *done* by id."""

    reader: int = 0
    done: frozenset[str] = field(default_factory=frozenset)


def passed(progress: Progress, sequence: int) -> Progress:
    """Consider an event that needs no telling; an event already considered changes nothing."""
    return replace(progress, seen=max(progress.seen, sequence))


def admitted(progress: Progress, sequence: int, entity: str) -> Progress:
    """Take an event to tell; an event already considered changes nothing."""
    if sequence <= progress.seen:
        return progress
    return Progress(sequence, (*progress.jobs, Job(sequence, entity)))


def started(progress: Progress, sequence: int) -> Progress:
    """Note that an attempt runs."""
    return _changed(
        progress, sequence, lambda job: replace(job, is_running=True, attempts=job.attempts + 1)
    )


def postponed(
    progress: Progress, sequence: int, due: float, served: frozenset[str] = frozenset()
) -> Progress:
    """Note that the running attempt failed and the next one is due at *due*."""
    return _changed(
        progress,
        sequence,
        lambda job: replace(job, is_running=False, due=due, served=job.served | served),
    )


def hastened(progress: Progress, now: float) -> Progress:
    """Make every waiting job due now: the sink was reconfigured."""
    jobs = tuple(replace(job, due=min(job.due, now)) for job in progress.jobs)
    return replace(progress, jobs=jobs)


def finished(progress: Progress, sequence: int) -> Progress:
    """Note that an event was told, or given up."""
    return replace(progress, jobs=tuple(job for job in progress.jobs if job.sequence != sequence))


def reader(progress: Progress) -> int:
    """Name the LOG sequence up to which everything is done."""
    return progress.jobs[0].sequence - 1 if progress.jobs else progress.seen


def ready(progress: Progress, now: float, at_once: int) -> tuple[Job, ...]:
    """Name the jobs to start now, longest due first; at most *at_once* run together."""
    due = [job for job in _waiting(progress) if job.due <= now]
    return tuple(sorted(due, key=lambda job: (job.due, job.sequence))[: _room(progress, at_once)])


def deadline(progress: Progress, at_once: int) -> float | None:
    """Name the monotonic second at which the next job is to start, None where none can."""
    if not _room(progress, at_once):
        return None
    return min((job.due for job in _waiting(progress)), default=None)


def receipted(receipts: Receipts, receipt: Receipt) -> Receipts:
    """Learn from one receipt of the sink, in the order of the log."""
    return Receipts(max(receipts.reader, receipt.reader), receipts.done | set(receipt.events))


def _room(progress: Progress, at_once: int) -> int:
    return max(at_once - sum(job.is_running for job in progress.jobs), 0)


def _waiting(progress: Progress) -> list[Job]:
    """Name the oldest job of each entity, the only one of it that may run, unless it runs."""
    heads: dict[str, Job] = {}
    for job in progress.jobs:
        heads.setdefault(job.entity, job)
    return [job for job in heads.values() if not job.is_running]


def _changed(progress: Progress, sequence: int, change: Callable[[Job], Job]) -> Progress:
    jobs = tuple(change(job) if job.sequence == sequence else job for job in progress.jobs)
    return replace(progress, jobs=jobs)
