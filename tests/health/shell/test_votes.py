"""Boards of several nodes that hear of each other what each of them sees."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from tests.health.shell.test_board import PASSED, REFUSED, SILENT, Clockless, watch

from libra_health.outcome import Outcome
from libra_health.shell.board import Board, Told
from libra_health.shell.drive import Driver
from libra_health.verdict.blast import Guard
from libra_health.verdict.policy import Policy
from libra_health.verdict.stand import Known, Stand
from libra_health.verdict.vantage import Ballot, Vantage
from libra_health.verdict.watch import Watch

ALL = ("a", "b", "c")
UP = Stand(up=True, seen=True)


class Node:
    """One node's board; what it says reaches the peers by `Cluster.carry`."""

    def __init__(self, name: str, nodes: tuple[str, ...], policy: Policy, size: int) -> None:
        peers = tuple(each for each in nodes if each != name)
        policy = replace(policy, vantage=replace(policy.vantage or PLAIN, node=name, peers=peers))
        self.name = name
        self.said: list[Told] = []
        self.board = Board(self.said.extend)
        self.watches: tuple[Watch, ...] = tuple(
            replace(watch(n), key=("web", f"w{n}"), policy=policy) for n in range(1, size + 1)
        )
        self.board.hear({each.key: Known(each.digest, each.place, UP) for each in self.watches})
        self.board.apply(cast("Driver", Clockless()), self.watches, "1")

    def ballots(self) -> dict[tuple[str, str], Ballot]:
        known = {key: tally.said for key, tally in self.board.tallies.items()}
        digests = {each.key: each.digest for each in self.watches}
        return {key: Ballot(digests[key], stand.own) for key, stand in known.items() if stand}

    def sees(self, number: int, outcome: Outcome, now: float = 1e6) -> None:
        self.board.report(self.watches[number - 1].lookouts[0].probe, outcome, now)

    def kinds(self) -> list[str]:
        return [each.verdict.type.removeprefix("backend.") for each in self.said]

    def serving(self) -> set[str]:
        tallies = self.board.tallies.items()
        return {key[1] for key, tally in tallies if tally.said is not None and tally.said.up}


PLAIN = Vantage("", ())


class Cluster:
    """Nodes with links between all of them; a cut node is out of reach of the others."""

    def __init__(
        self, nodes: tuple[str, ...] = ALL, size: int = 2, policy: Policy | None = None
    ) -> None:
        self.cut: set[str] = set()
        self.nodes: Mapping[str, Node] = {
            name: Node(name, nodes, policy or Policy(), size) for name in nodes
        }
        self.carry()

    def carry(self) -> None:
        """Tell everybody all that is news, until there is no more."""
        for _ in range(3):
            for name, node in self.nodes.items():
                for peer, other in self.nodes.items():
                    if peer != name:
                        away = {name, peer} & self.cut
                        node.board.hear_peer(peer, None if away else other.ballots())

    def sees(self, name: str, number: int, outcome: Outcome) -> None:
        self.nodes[name].sees(number, outcome)
        self.carry()

    def kinds(self) -> list[list[str]]:
        return [node.kinds() for node in self.nodes.values()]


def test_three_nodes_take_a_backend_out_when_two_of_them_see_it_down() -> None:
    cluster = Cluster()
    assert cluster.kinds() == [[], [], []]
    cluster.sees("a", 1, SILENT)
    assert cluster.kinds() == [["seen"], [], []]
    cluster.sees("b", 1, SILENT)
    assert cluster.kinds() == [["seen", "down"], ["down"], ["down"]]
    (verdict,) = [each.verdict for each in cluster.nodes["c"].said]
    assert verdict.votes == (("c", True), ("a", False), ("b", False))
    cluster.sees("c", 1, REFUSED)
    assert cluster.kinds()[2] == ["down", "seen"]
    cluster.sees("a", 1, PASSED)
    cluster.sees("b", 1, PASSED)
    assert cluster.nodes["c"].kinds() == ["down", "seen", "up"]


def test_one_node_that_sees_it_up_keeps_it_where_any_does() -> None:
    cluster = Cluster(policy=Policy(vantage=replace(PLAIN, any_up=True)))
    for name in ("a", "b"):
        cluster.sees(name, 1, SILENT)
    assert cluster.kinds() == [["seen"], ["seen"], []]
    cluster.sees("c", 1, SILENT)
    assert [kinds[-1] for kinds in cluster.kinds()] == ["down", "down", "down"]


def test_a_minority_keeps_the_last_backend_and_lets_it_go_when_others_are_back() -> None:
    cluster = Cluster()
    cluster.cut = {"a"}
    cluster.carry()
    for number in (1, 2):
        cluster.sees("a", number, REFUSED)
    alone = cluster.nodes["a"]
    assert alone.kinds() == ["down", "held"]
    assert alone.said[-1].verdict.is_last
    assert alone.serving() == {"w2"}
    cluster.cut = set()
    cluster.carry()
    assert alone.serving() == {"w1", "w2"}
    cluster.sees("b", 1, REFUSED)
    cluster.sees("b", 2, REFUSED)
    assert alone.serving() == set()


def test_half_of_a_pair_goes_by_what_it_sees() -> None:
    cluster = Cluster(("a", "b"))
    cluster.sees("a", 1, REFUSED)
    assert cluster.kinds() == [["seen"], []]
    cluster.cut = {"b"}
    cluster.carry()
    cluster.sees("a", 2, REFUSED)
    assert cluster.nodes["a"].serving() == set()


def test_a_vote_about_another_target_counts_no_more() -> None:
    cluster = Cluster()
    (node, *_) = cluster.nodes.values()
    for peer in ("b", "c"):
        node.board.hear_peer(peer, {("web", "w1"): Ballot("other", up=False)}, is_whole=False)
    assert node.serving() == {"w1", "w2"}
    for peer in ("b", "c"):
        ballot = Ballot(node.watches[0].digest, up=False)
        strange = {("web", "w1"): ballot, ("mail", "m1"): ballot}
        node.board.hear_peer(peer, strange, is_whole=False)
    assert node.serving() == {"w2"}


def test_the_guard_and_the_votes_hold_together() -> None:
    cluster = Cluster(policy=Policy(guard=Guard(1, 60.0)))
    for number in (1, 2):
        for name in ("a", "b"):
            cluster.sees(name, number, SILENT)
    assert [len(node.serving()) for node in cluster.nodes.values()] == [1, 1, 1]
    assert not any(each.verdict.is_last for each in cluster.nodes["a"].said)


STEP = st.tuples(st.integers(1, 3), st.sampled_from([SILENT, PASSED, REFUSED]))
HEARD = st.dictionaries(
    st.sampled_from(["b", "c", "d"]), st.none() | st.booleans(), min_size=1, max_size=1
)


@given(st.lists(STEP | HEARD, max_size=30), st.booleans(), st.sampled_from([None, True, False]))
def test_a_minority_never_empties_a_pool(
    steps: list[tuple[int, Outcome] | dict[str, bool | None]],
    any_up: bool,
    missing: bool | None,
) -> None:
    nodes = ("a", "b", "c", "d")
    vantage = replace(PLAIN, any_up=any_up, missing=missing)
    node = Node("a", nodes, Policy(vantage=vantage), 3)
    reached: dict[str, bool | None] = {"b": None, "c": None, "d": None}
    for number, step in enumerate([*({peer: None} for peer in reached), *steps]):
        before = node.serving()
        if isinstance(step, dict):
            for peer, up in step.items():
                ballots = {w.key: Ballot(w.digest, up) for w in node.watches if up is not None}
                node.board.hear_peer(peer, None if up is None else ballots)
                reached[peer] = up
        else:
            node.sees(step[0], step[1], 1e6 + number)
        if not any(up is not None for up in reached.values()):
            assert node.serving() or not before
        seen = {key[1]: tally.said for key, tally in node.board.tallies.items()}
        assert all(stand is None or stand.seen is not None for stand in seen.values())
