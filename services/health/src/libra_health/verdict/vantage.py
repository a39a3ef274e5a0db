"""Vantage: from what several nodes see of a backend to one verdict.

The one rule: a node votes with what it sees itself, never with what the votes made of it; and who
reaches fewer than half of the nodes never empties a pool by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from libra_schemas.sentences.words import counted

Votes: TypeAlias = tuple[tuple[str, bool | None], ...]
"""Node and how it sees the backend, None where it is out of reach or has not voted."""


@dataclass(frozen=True, slots=True)
class Vantage:
    """Whose votes count: `node` is this one, `peers` are all the others of the config.

    `any_up`: one vote for up is enough; else more votes for down than for up take it out.
    `missing`: what a missing vote counts as, None for nothing.
    """

    node: str
    peers: tuple[str, ...]
    any_up: bool = False
    missing: bool | None = None


@dataclass(frozen=True, slots=True)
class Ballot:
    """A peer's own view of a backend, and the target digest that it was reached against."""

    digest: str
    up: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What the peers say of one backend: the votes that count, and how many peers are in reach."""

    votes: tuple[tuple[str, bool], ...] = ()
    reached: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What the votes make of a backend."""

    up: bool
    votes: Votes


def decide(vantage: Vantage, heard: Heard, *, seen: bool) -> Decision:
    """Count the votes; a tie stays up."""
    said = dict(heard.votes)
    votes: Votes = ((vantage.node, seen), *((peer, said.get(peer)) for peer in vantage.peers))
    counting = [vantage.missing if vote is None else vote for _, vote in votes]
    ups, downs = counting.count(True), counting.count(False)
    return Decision(ups > 0 if vantage.any_up else downs <= ups, votes)


def heard_of(
    digest: str, ballots: Mapping[str, Ballot | None], reached: int, vantage: Vantage
) -> Heard:
    """Keep the votes of the peers that ask the same of the same server."""
    kept = []
    for peer in vantage.peers:
        ballot = ballots.get(peer)
        if ballot is not None and ballot.digest == digest:
            kept.append((peer, ballot.up))
    return Heard(tuple(kept), reached)


def is_minority(vantage: Vantage, heard: Heard) -> bool:
    """Whether this node and those it reaches are fewer than half of the nodes."""
    return 2 * (heard.reached + 1) < len(vantage.peers) + 1


def last(pool: Sequence[tuple[bool, float | None]]) -> int | None:
    """Find the backend of a pool that a minority must keep: of the failing who failed last.

    Each member: whether it serves, and since when it is to go (None: it is not). None where one
    that is well serves on, or none is to go.
    """
    serving = [(failing, place) for place, (is_in, failing) in enumerate(pool) if is_in]
    failing = [(since, place) for since, place in serving if since is not None]
    return max(failing)[1] if failing and len(failing) == len(serving) else None


def spelled_votes(vantage: Vantage, votes: Votes) -> str:
    """Say how the votes fell: `2 of 3 nodes see it down, 1 up`."""
    said = [vote for _, vote in votes]
    words = (
        f"{said.count(False)} of {counted(len(said), 'node')} see it down, {said.count(True)} up"
    )
    if missing := said.count(None):
        counts = {None: "does not count", True: "counts as up", False: "counts as down"}
        words += f", {missing} did not say, which {counts[vantage.missing]}"
    rule = "any that sees it up keeps it" if vantage.any_up else "the majority decides"
    return f"{words}; {rule}"
