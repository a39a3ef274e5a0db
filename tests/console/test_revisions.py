"""Revisions: which one is in force, and what becomes of a proposal."""

from datetime import UTC, datetime
from typing import Any

import pytest

from libra_console import revisions
from libra_console.revisions import Apply, Declined, Note, Proposal, Unchanged, decide
from libra_schemas.canonical import digest
from libra_schemas.envelope import NEW_CHAIN, Event
from libra_schemas.events import ConfigApplied, ConfigRejected, EventData
from libra_schemas.intent.fold import Entry, State
from libra_schemas.revision import NONE, Revision
from libra_schemas.subjects import Subject

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD: dict[str, Any] = {"version": 1, "nodes": {"a": {"address": "10.0.0.2"}}}
NEW: dict[str, Any] = {"version": 1, "nodes": {"a": {"address": "10.0.0.9"}}}


def register(kind: str, sequence: int, what: EventData) -> Entry:
    event = Event(
        id="x",
        source="/lvs/a/console",
        type=kind,
        subject="cluster",
        time=NOW,
        dataschema="x",
        epoch=1,
        chainseq="1",
        chainprev=NEW_CHAIN,
        data=what,
    )
    return Entry(sequence, Subject("a", kind, ("cluster",)), event)


def holding(number: int, document: dict[str, Any], rejected: int = 0) -> State:
    applied = ConfigApplied(number=number, hash=digest(document), document=document, author="me")
    held: dict[tuple[str, ...], Entry] = {
        revisions.REGISTER: register("config.applied", 5, applied)
    }
    if rejected:
        refusal = ConfigRejected(number=rejected, hash="0" * 64, author="me", problems=())
        held[revisions.REJECTION] = register("config.rejected", 6, refusal)
    return held


def test_an_empty_log_holds_no_revision() -> None:
    assert revisions.in_force({}) == NONE
    assert revisions.document({}) is None
    assert revisions.highest({}) == 0


def test_the_first_config_becomes_revision_1() -> None:
    decision = decide({}, Proposal(NEW, "me"), None)
    assert isinstance(decision, Apply)
    assert decision.revision == Revision(1, digest(NEW))
    assert decision.applied.base is None
    assert decision.applied.document == NEW


def test_a_change_becomes_the_highest_known_plus_one_and_names_its_base() -> None:
    held = holding(7, OLD)
    decision = decide(held, Proposal(NEW, "me", comment="why"), None)
    assert isinstance(decision, Apply)
    assert decision.applied.number == 8
    assert decision.applied.base == str(revisions.in_force(held))
    assert decision.applied.comment == "why"


def test_a_rejected_number_is_never_given_again() -> None:
    decision = decide(holding(7, OLD, rejected=11), Proposal(NEW, "me"), None)
    assert isinstance(decision, Apply)
    assert decision.applied.number == 12


def test_equal_content_in_another_order_makes_no_revision() -> None:
    same = dict(reversed(OLD.items()))
    assert decide(holding(7, OLD), Proposal(same, "me", base="1"), None) == Unchanged(
        Revision(7, digest(OLD))
    )


@pytest.mark.parametrize("base", [pytest.param("7", id="number"), pytest.param("", id="whole")])
def test_a_proposal_made_from_the_current_revision_is_taken(base: str) -> None:
    held = holding(7, OLD)
    base = base or str(revisions.in_force(held))
    assert isinstance(decide(held, Proposal(NEW, "me", base=base), None), Apply)


def test_a_proposal_made_from_an_older_revision_is_declined() -> None:
    decision = decide(holding(7, OLD), Proposal(NEW, "me", base=f"6-{'0' * 64}"), None)
    assert isinstance(decision, Declined)
    assert "made from revision 6, but revision 7 is in force" in decision.reason


def test_a_base_on_an_empty_log_is_declined() -> None:
    decision = decide({}, Proposal(NEW, "me", base="6"), None)
    assert isinstance(decision, Declined)
    assert "no config is in force" in decision.reason


def at_start(document: dict[str, Any]) -> Proposal:
    return Proposal(document, "up", file="/etc/libra.yaml", rule="changed")


def test_at_start_an_empty_log_takes_the_file() -> None:
    assert isinstance(decide({}, at_start(NEW), None), Apply)


def test_at_start_a_file_never_applied_here_is_left_alone() -> None:
    decision = decide(holding(7, OLD), at_start(NEW), None)
    assert isinstance(decision, Declined)
    assert "never applied on this node" in decision.reason
    assert "`libra apply /etc/libra.yaml`" in decision.reason


def test_at_start_an_unchanged_file_does_not_undo_a_newer_revision() -> None:
    decision = decide(holding(7, OLD), at_start(NEW), Note(digest(NEW), f"6-{digest(NEW)}"))
    assert isinstance(decision, Declined)
    assert "has not changed since it became revision 6" in decision.reason


def test_at_start_a_changed_file_made_from_the_current_revision_is_taken() -> None:
    held = holding(7, OLD)
    note = Note(digest(OLD), str(revisions.in_force(held)))
    decision = decide(held, at_start(NEW), note)
    assert isinstance(decision, Apply)
    assert decision.applied.number == 8


def test_at_start_a_changed_file_made_from_an_older_revision_is_left_alone() -> None:
    decision = decide(holding(7, OLD), at_start(NEW), Note("1" * 64, f"5-{'1' * 64}"))
    assert isinstance(decision, Declined)
    assert "made from revision 5, but revision 7 is in force" in decision.reason
