"""The one who sends: takes the source's place in the log, then empties the outbox into it.

Rule: one send unit in flight. After a start, a loss of the connection or a missing ack the place
is read back from the log and sending goes on after it; the deduplication window only helps.
"""

import asyncio
import os
import random
from collections.abc import Callable
from typing import Literal

from libra_runtime import VERSION, stamp
from libra_runtime.chain import START, Head, head_of, link
from libra_runtime.head import View, look
from libra_runtime.journal import Fenced
from libra_runtime.outbox import Entry, Outbox
from libra_runtime.session import ApiError, Session, SessionLost, parsed, patience
from libra_runtime.stored import Record
from libra_runtime.wire import Wire
from libra_schemas.events import Recovered, Started
from libra_schemas.subjects import Subject

_WRONG_SEQUENCE = frozenset({10071, 10164})
_DUPLICATE = 10201
_TRIED_AGAIN = _WRONG_SEQUENCE | {_DUPLICATE}
Kind = Literal["start", "reconnect", "log-lost", "log-shortened"]
_REPORT = 2048
"""Bytes; more than a node.recovered has."""

_BACK_OFF = 0.5
"""Seconds until a refused unit is tried again."""


class Duplicate(ApiError):
    """The server remembers an id that we did not find in the log."""


class Publisher:
    """Sends the outbox of one service; `epoch` is 0 until the log accepted the claim."""

    def __init__(self, wire: Wire, outbox: Outbox, caught: Callable[[], None]) -> None:
        """Call *caught* each time the place in the log was taken or lost."""
        self.edge = wire.edge
        self.epoch = 0
        self.taken = False
        self.trouble: str | None = "the place in the log is not taken yet"
        self.refused = False
        self.sent = 0
        self.sent_again = 0
        self._wire = wire
        self._outbox = outbox
        self._caught = caught
        self._head = self._known = START
        self._claims: set[str] = set()
        self._guard = 0
        self._uncertain = bool(outbox.entries)
        self._last: int | None = None
        self._forgetful = False

    async def run(self) -> None:
        """Send until cancelled; raise Fenced when a newer process took over."""
        while True:
            session = await self._wire.session()
            try:
                await self._take_up(session)
                await self._send_all(session)
            except SessionLost:
                self._lose("the connection to nats-server is lost")
            except TimeoutError:
                await self._no_answer(session)
            except ApiError as refusal:
                self.refused = refusal.code not in _TRIED_AGAIN
                self._lose(f"the log refuses events: {refusal}")
                if self.refused:
                    await asyncio.sleep(_BACK_OFF)

    async def _no_answer(self, session: Session) -> None:
        """Look again after a missing ack; end the connection where a look got no answer."""
        looking = not self.taken
        self._lose(f"nats-server does not answer; it said last: {self._wire.complaint}")
        if looking:
            await session.close()

    def _lose(self, trouble: str) -> None:
        self.taken = False
        self.trouble = trouble
        self._caught()

    async def _take_up(self, session: Session) -> None:
        """Settle what the log holds, claim the epoch where that is due, go on after the head."""
        doubtful = self._outbox.in_flight if self._uncertain else 0
        while True:
            view = await look(session, self.edge)
            self._head = view.head
            if self._outbox.settle(view.head.id, view.head.sequence):
                self._uncertain, doubtful = False, 0
            if self._holds(view) or await self._claim(session, view):
                break
        self._last = view.last if self._uncertain else None
        self._report(view, doubtful)
        self._known = self._head
        self.taken, self.refused = True, False
        self.trouble = None
        self._caught()

    def _holds(self, view: View) -> bool:
        """Say whether the newest claim in LOG is ours; raise Fenced where it is a newer one."""
        claim = view.claim
        if claim is None:
            return False
        if claim.id in self._claims:
            self.epoch, self._guard = claim.epoch, view.guard
            return view.guard > 0
        self._refuse_newer(claim)
        return False

    def watch(self, record: Record) -> None:
        """Raise Fenced where *record*, a claim from the log, is of a newer process."""
        claim = head_of(record.raw, record.sequence, self.edge.node, self.edge.service)
        if claim is not None and claim.id not in self._claims and claim.sequence > self._guard:
            self._refuse_newer(claim)

    def _refuse_newer(self, claim: Head) -> None:
        if self.epoch and claim.epoch >= self.epoch:
            edge = self.edge
            raise Fenced(
                f"a newer {edge.service} of node {edge.node} took over "
                f"(epoch {claim.epoch}, this one was {self.epoch}); this process ends"
            )

    async def _claim(self, session: Session, view: View) -> bool:
        """Publish node.started; False where the log moved meanwhile (look again)."""
        service = self.edge.service
        known = (self.epoch, view.head.epoch, view.claim.epoch if view.claim else 0)
        data = Started(service=service, version=VERSION, pid=os.getpid())
        draft = stamp.draft("node.started", (service,), data)
        raw, head = link(view.head, draft, self.edge.node, service, max(known) + 1)
        self._outbox.compact()
        self._claims.add(draft.id)
        headers = self._fence(view.guard) | _expected_last(view.last) | {"Nats-Msg-Id": draft.id}
        subject = str(Subject(self.edge.node, draft.type, draft.key))
        try:
            answer = parsed(await session.request(subject, raw, headers))
        except ApiError as refusal:
            if refusal.code not in _WRONG_SEQUENCE:
                raise
            await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 - spreads writers, no secret
            return False
        self.epoch, self._guard, self._head = head.epoch, int(answer["seq"]), head
        self._uncertain = False
        return True

    def _report(self, view: View, sent_again: int) -> None:
        """Publish node.recovered where something was lost, repeated or coalesced."""
        lost = self._known.chainseq > view.head.chainseq
        kind: Kind = "start" if self._known is START else "reconnect"
        if lost:
            kind = "log-shortened" if view.last else "log-lost"
        self._outbox.make_room(_REPORT)
        coalesced, self._outbox.coalesced = self._outbox.coalesced + self._outbox.spool.lost, 0
        self._outbox.spool.lost = 0
        self.sent_again += sent_again
        if not (lost or sent_again or coalesced):
            return
        data = Recovered(
            service=self.edge.service,
            kind=kind,
            last=view.head.sequence,
            chainseq=str(view.head.chainseq),
            sent_again=sent_again,
            coalesced=coalesced,
        )
        self._outbox.put(stamp.draft("node.recovered", (self.edge.service,), data))

    async def _send_all(self, session: Session) -> None:
        def wake(_: object) -> None:
            self._outbox.arrived.set()

        inbox = session.listen(wake)
        try:
            while True:
                await self._outbox.arrived.wait()
                if session.lost.is_set():
                    raise SessionLost("the connection to nats-server is lost")
                await self._send(session, self._outbox.next_unit())
        finally:
            session.forget(inbox)

    async def _send(self, session: Session, unit: list[Entry]) -> None:
        """Send one event or one atomic batch, and wait until the log holds it."""
        if not unit:
            self._outbox.arrived.clear()
            return
        head = self._head
        messages = []
        for entry in unit:
            raw, head = link(head, entry.draft, self.edge.node, self.edge.service, self.epoch)
            messages.append((str(Subject(self.edge.node, entry.draft.type, entry.draft.key)), raw))
        certain, self._uncertain = not self._uncertain, True
        try:
            sequence = await self._hand_over(session, unit, messages)
        except ApiError as refusal:
            self._forgetful = refusal.code == _DUPLICATE
            self._uncertain = not certain or self._forgetful
            raise
        self._head = Head(head.id, head.chainseq, head.digest, head.epoch, sequence)
        self._known = self._head
        self._uncertain = self._forgetful = False
        self._last = None
        self.sent += len(unit)
        self._outbox.stored(len(unit), sequence)

    async def _hand_over(
        self, session: Session, unit: list[Entry], messages: list[tuple[str, bytes]]
    ) -> int:
        """Send *messages*; return the LOG sequence of the last one."""
        batch = stamp.new_id()
        limit = patience(sum(len(raw) for _, raw in messages))
        for place, (entry, (subject, raw)) in enumerate(zip(unit, messages, strict=True), start=1):
            headers = self._fence(self._guard)
            if not self._forgetful:
                headers["Nats-Msg-Id"] = entry.draft.id
            if place == 1 and self._last is not None:
                headers |= _expected_last(self._last)
            if len(unit) > 1:
                headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(place)}
            if place < len(unit):
                await session.publish(subject, raw, headers)
            else:
                headers |= {"Nats-Batch-Commit": "1"} if place > 1 else {}
                answer = parsed(await session.request(subject, raw, headers, limit=limit))
        if answer.get("duplicate"):
            raise Duplicate(_DUPLICATE, "the server remembers this event, the log does not hold it")
        return int(answer["seq"])

    def _fence(self, guard: int) -> dict[str, str]:
        """Demand that our claim is still the newest one (the only place that builds this)."""
        return {
            "Nats-Expected-Last-Subject-Sequence": str(guard),
            "Nats-Expected-Last-Subject-Sequence-Subject": (
                f"lvs.{self.edge.node}.node.started.{self.edge.service}"
            ),
        }


def _expected_last(sequence: int) -> dict[str, str]:
    return {"Nats-Expected-Last-Sequence": str(sequence)}
