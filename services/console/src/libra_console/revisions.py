"""Which config revision is in force, and what becomes of a proposed one (design §10).

Rule: apply makes highest-known + 1; equal content makes no revision; a file is taken over
unasked only where nothing newer than what it was made from is in force.
"""

from dataclasses import dataclass
from typing import Any, Literal

from libra_schemas.canonical import digest
from libra_schemas.events import ConfigApplied, ConfigRejected
from libra_schemas.intent.fold import State, data
from libra_schemas.revision import NONE, Revision

REGISTER = ("config", "cluster")
REJECTION = ("rejection", "cluster")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A valid document somebody wants in force.

    *base* is the revision it was made from, None where its author did not say. Rule `changed`
    (a file at start) takes the document over only as design §10 allows; `always` means it.
    """

    document: dict[str, Any]
    author: str
    base: str | None = None
    comment: str = ""
    file: str = ""
    rule: Literal["always", "changed"] = "always"


@dataclass(frozen=True, slots=True)
class Note:
    """What this node last took over from a file: its content and the revision it became."""

    hash: str
    revision: str


@dataclass(frozen=True, slots=True)
class Apply:
    """Publish this."""

    applied: ConfigApplied

    @property
    def revision(self) -> Revision:
        """Name the new revision."""
        return Revision(self.applied.number, self.applied.hash)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The document is what is in force already."""

    revision: Revision


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing is published; *reason* is one sentence."""

    reason: str


Decision = Apply | Unchanged | Declined


def in_force(registers: State) -> Revision:
    """Name the revision in force, `NONE` where the log holds no config."""
    applied = data(registers, ConfigApplied, *REGISTER)
    return Revision(applied.number, applied.hash) if applied else NONE


def document(registers: State) -> dict[str, Any] | None:
    """Give the document in force."""
    applied = data(registers, ConfigApplied, *REGISTER)
    return applied.document if applied else None


def highest(registers: State) -> int:
    """Give the highest number known, whether it was accepted or rejected."""
    rejected = data(registers, ConfigRejected, *REJECTION)
    return max(in_force(registers).number, rejected.number if rejected else 0)


def decide(registers: State, proposal: Proposal, note: Note | None) -> Decision:
    """Decide what becomes of *proposal*; *note* is of the same file, on this node."""
    current = in_force(registers)
    if current.hash == digest(proposal.document):
        return Unchanged(current)
    reason = _obstacle(current, proposal, note)
    if reason:
        return Declined(reason)
    revision = Revision(highest(registers), current.hash).next(proposal.document)
    return Apply(
        ConfigApplied(
            number=revision.number,
            hash=revision.hash,
            document=proposal.document,
            author=proposal.author,
            base=None if current == NONE else str(current),
            comment=proposal.comment,
        )
    )


def _obstacle(current: Revision, proposal: Proposal, note: Note | None) -> str:
    """Say why *proposal* is not taken over, "" where it is."""
    if proposal.base is not None and not _names(current, proposal.base):
        return (
            f"it was made from revision {_short(proposal.base)}, but {_say(current)} is in force: "
            "merge the two and apply again"
        )
    if proposal.rule == "always" or current == NONE:
        return ""
    return _obstacle_for_file(current, proposal, note)


def _obstacle_for_file(current: Revision, proposal: Proposal, note: Note | None) -> str:
    file = proposal.file or "the file"
    advice = f"`libra apply {file}` takes it over all the same"
    if note is None:
        return f"{file} was never applied on this node and {_say(current)} is in force; {advice}"
    if note.hash == digest(proposal.document):
        return (
            f"{file} has not changed since it became revision {_short(note.revision)}, and "
            f"{_say(current)} is in force; {advice}"
        )
    if not _names(current, note.revision):
        return (
            f"{file} was made from revision {_short(note.revision)}, but {_say(current)} "
            f"is in force; {advice}"
        )
    return ""


def _names(revision: Revision, text: str) -> bool:
    """Tell whether *text*, a whole revision or its number alone, names *revision*."""
    return text in {str(revision), str(revision.number)}


def _say(revision: Revision) -> str:
    return f"revision {revision.number}" if revision != NONE else "no config"


def _short(text: str) -> str:
    return text.partition("-")[0]
