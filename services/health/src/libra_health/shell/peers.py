"""What other nodes see of our backends, told to the board where votes count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from functools import partial

import structlog

from libra_health.shell.board import Board
from libra_health.verdict import Ballot, Key, Watch, ballot_of
from libra_runtime.journal import CaughtUp, Journal, PeerLost, Stored
from libra_schemas.envelope import Event
from libra_schemas.events import BackendState

log = structlog.get_logger()

Call = Callable[[Callable[[], None]], None]
"""Has work done in the thread of the board."""


class Peers:
    """Follows the logs of the nodes whose votes count."""

    def __init__(self, journal: Journal, board: Board, call: Call) -> None:
        self._journal = journal
        self._board = board
        self._call = call
        self._wanted: frozenset[str] = frozenset()
        self._has_news = asyncio.Event()

    def want(self, watches: Iterable[Watch]) -> None:
        """Follow the peers that these backends need, and no others."""
        counted = (each.policy.vantage for each in watches)
        self._wanted = frozenset(peer for each in counted if each for peer in each.peers)
        self._has_news.set()

    async def run(self) -> None:
        """Run until cancelled."""
        tasks: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                await self._has_news.wait()
                self._has_news.clear()
                for node in tasks.keys() - self._wanted:
                    tasks.pop(node).cancel()
                    self._call(partial(self._board.hear_peer, node, None))
                for node in self._wanted - tasks.keys():
                    tasks[node] = group.create_task(self._follow(node))

    async def _follow(self, node: str) -> None:
        """Tell the board all of a peer when it is caught up with, then what changes."""
        gathered: dict[Key, Ballot] = {}
        has_all = False
        async with aclosing(self._journal.follow_peer(node, "backend")) as items:
            async for item in items:
                match item:
                    case PeerLost():
                        log.warning("peer out of reach, its votes are missing", peer=node)
                        gathered, has_all = {}, False
                        self._call(partial(self._board.hear_peer, node, None))
                    case CaughtUp():
                        log.info("votes of a peer heard", peer=node, backends=len(gathered))
                        self._call(partial(self._board.hear_peer, node, gathered))
                        gathered, has_all = {}, True
                    case Stored(event=Event(data=BackendState() as state)):
                        key, ballot = (state.service, state.backend), ballot_of(state)
                        if has_all:
                            news = {key: ballot}
                            tell = partial(self._board.hear_peer, node, news, is_whole=False)
                            self._call(tell)
                        else:
                            gathered[key] = ballot
                    case Stored():
                        log.debug("event of an unknown kind", subject=str(item.subject))
