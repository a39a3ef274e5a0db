"""The gateway: what operators may ask, and the only place that publishes config and admin states.

One change at a time, and each is seen back from the log before the next is decided, so that no
two revisions are made from the same one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import assert_never, get_args

from pydantic import ValidationError

from libra_console import revisions
from libra_console.acts import VERBS, Act, ActRefused, Verb, due, moved_with, outcome
from libra_console.rejections import rejection
from libra_console.revisions import Apply, Declined, Note, Proposal, Unchanged
from libra_console.settings import Settings
from libra_console.shell.answers import author, bad_request, invalid, one_line
from libra_console.shell.board import Board
from libra_console.shell.bodies import Offer, Refused
from libra_console.shell.http import Request, Response
from libra_console.shell.neighbours import troubles
from libra_console.shell.notebook import Notebook
from libra_console.status import status
from libra_runtime.journal import Journal
from libra_runtime.stamp import draft, now
from libra_schemas.canonical import digest
from libra_schemas.errors import ConfigError, LibraError, Problem
from libra_schemas.events import AdminState, ConfigRejected, EventData
from libra_schemas.load import config_from

_OPERATOR = "/v1/operator/"


class Gateway:
    """Answers the unix socket; one per process."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        board: Board,
        figures: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        self.notebook = Notebook(settings.notes)
        self._settings = settings
        self._journal = journal
        self._board = board
        self._figures = figures
        self._one_change = asyncio.Lock()
        self._changes: set[asyncio.Task[Response]] = set()

    async def answer(self, request: Request) -> Response:
        """Answer one request; every refusal is one sentence and what to do."""
        route = _ROUTES.get((request.method, request.path))
        try:
            if route is not None:
                return await route(self, request)
            if request.method == "POST" and request.path.startswith(_OPERATOR):
                return await self._operate(request, request.path.removeprefix(_OPERATOR))
        except ValidationError as error:
            return bad_request(one_line(error))
        except ValueError as error:
            return bad_request(str(error))
        except LibraError as error:
            return Response.error(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        return Response.error(
            HTTPStatus.NOT_FOUND, f"{request.method} {request.path} is nothing this console does"
        )

    @property
    def trouble(self) -> str | None:
        """Say what keeps this console from its work, None when nothing does."""
        if self._journal.trouble:
            return self._journal.trouble
        return None if self._board.caught_up else "the log is still being read"

    async def _health(self, _: Request) -> Response:
        trouble = self.trouble
        if trouble:
            return Response.error(HTTPStatus.SERVICE_UNAVAILABLE, trouble)
        return Response(HTTPStatus.OK, {"healthy": True})

    async def _status(self, _: Request) -> Response:
        said = await troubles(self._settings.node, self._settings.metrics_port)
        document = status(self._settings.node, self._board.registers, self._board.config, said)
        journal = {
            "connected": self._journal.connected,
            "epoch": self._journal.epoch,
            "trouble": self._journal.trouble,
            "caught_up": self._board.caught_up,
            "outbox": int(self._figures().get("outbox_events", 0)),
        }
        return Response(HTTPStatus.OK, document | {"journal": journal})

    async def _show_config(self, _: Request) -> Response:
        held = revisions.document(self._board.registers)
        if held is None:
            return Response.error(
                HTTPStatus.NOT_FOUND, "no config is in force yet; `libra apply FILE` applies one"
            )
        revision = revisions.in_force(self._board.registers)
        return Response(
            HTTPStatus.OK,
            {"revision": str(revision), "number": revision.number, "document": held},
        )

    async def _apply(self, request: Request) -> Response:
        offer = Offer.model_validate(request.json())
        who = author(offer.author, request.uid)
        try:
            config_from(offer.document)
        except ConfigError as error:
            return await self.reject(error.problems, who, digest(offer.document))
        proposal = Proposal(
            offer.document,
            who,
            offer.base,
            offer.comment,
            offer.file,
            "changed" if offer.rule == "changed" else "always",
        )
        return await self.propose(proposal)

    async def _refused(self, request: Request) -> Response:
        """Take note of a file in which somebody else found the problems, with their places."""
        refused = Refused.model_validate(request.json())
        who = author(refused.author, request.uid)
        problems = [Problem(**each.model_dump()) for each in refused.problems]
        return await self.reject(problems, who, refused.hash)

    async def reject(self, problems: Sequence[Problem], who: str, hash_: str) -> Response:
        """Say to log and caller that a config was refused; nothing that runs is touched."""
        rejected = rejection(problems, who, hash_)
        return invalid(problems, await self._change(lambda: self._reject(rejected)))

    async def _reject(self, rejected: ConfigRejected) -> Response:
        sequence = await self._publish("config.rejected", ("cluster",), rejected)
        return Response(HTTPStatus.OK, {"sequence": sequence})

    async def propose(self, proposal: Proposal) -> Response:
        """Decide on a valid document and do what was decided."""
        return await self._change(lambda: self._decide(proposal))

    async def _decide(self, proposal: Proposal) -> Response:
        note = self.notebook.of(proposal.file)
        decision = revisions.decide(self._board.registers, proposal, note)
        match decision:
            case Declined():
                return Response.error(HTTPStatus.CONFLICT, decision.reason)
            case Unchanged():
                sequence = 0
            case Apply():
                sequence = await self._publish("config.applied", ("cluster",), decision.applied)
            case _:
                assert_never(decision)
        revision = decision.revision
        if proposal.file:
            self.notebook.note(proposal.file, Note(revision.hash, str(revision)))
        return Response(
            HTTPStatus.OK,
            {
                "revision": str(revision),
                "number": revision.number,
                "changed": isinstance(decision, Apply),
                "sequence": sequence,
            },
        )

    async def _operate(self, request: Request, verb: str) -> Response:
        if verb not in VERBS:
            return Response.error(
                HTTPStatus.NOT_FOUND, f"{verb!r} is none of {', '.join(get_args(Verb))}"
            )
        act = Act.model_validate(request.json())
        act = act.model_copy(update={"who": author(act.who, request.uid)})
        return await self._change(lambda: self._act(verb, act))

    async def _act(self, verb: Verb, act: Act) -> Response:
        if self._board.config is None:
            return Response.error(HTTPStatus.CONFLICT, "no config is in force yet")
        try:
            state = outcome(
                self._board.registers, self._board.config, self._settings.node, verb, act, now()
            )
        except ActRefused as error:
            return Response.error(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        sequence = await self._publish(f"operator.{verb}", state.entity, state)
        said = {"state": state.model_dump(mode="json"), "sequence": sequence}
        return Response(HTTPStatus.OK, said | {"with": moved_with(state, self._board.config)})

    async def end(self, state: AdminState) -> None:
        """Publish the state that follows one whose time has passed, unless somebody acted first."""
        async with self._one_change:
            if state not in due(self._board.registers, now()):
                return
            await self._publish("operator.ready", state.entity, state)

    async def _change(self, change: Callable[[], Awaitable[Response]]) -> Response:
        """Run *change* alone and only while the log takes it; answer within `ack_timeout`."""
        if self.trouble:
            return Response.error(
                HTTPStatus.SERVICE_UNAVAILABLE, f"nothing was changed: {self.trouble}"
            )
        task = asyncio.create_task(self._alone(change))
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        done, _ = await asyncio.wait({task}, timeout=self._settings.ack_timeout)
        if done:
            return task.result()
        return Response.error(
            HTTPStatus.GATEWAY_TIMEOUT,
            "the log did not acknowledge it yet; it is kept and will be sent: "
            "`libra status` shows when it holds",
        )

    async def _alone(self, change: Callable[[], Awaitable[Response]]) -> Response:
        """Wait for the change before, even one whose caller has given up, then do this one."""
        async with self._one_change:
            return await change()

    async def _publish(self, kind: str, key: tuple[str, ...], what: EventData) -> int:
        sequence = await self._journal.append(draft(kind, key, what))
        await self._board.until(sequence)
        return sequence


Route = Callable[[Gateway, Request], Awaitable[Response]]

_ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/healthz"): Gateway._health,  # noqa: SLF001 - the table of this very class
    ("GET", "/v1/status"): Gateway._status,  # noqa: SLF001 - likewise
    ("GET", "/v1/config"): Gateway._show_config,  # noqa: SLF001 - likewise
    ("POST", "/v1/config"): Gateway._apply,  # noqa: SLF001 - likewise
    ("POST", "/v1/config/rejected"): Gateway._refused,  # noqa: SLF001 - likewise
}
