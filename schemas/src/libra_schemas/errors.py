"""What can be wrong with bytes that reach LibrA, as a tree.

LibraError
├── MalformedEvent      a peer sent bytes that are no event (dead letter, never a crash)
├── MalformedSubject    a subject that no event type of ours is published on
└── ConfigError         a person's config cannot be accepted; carries every problem at once
"""

from dataclasses import dataclass


class LibraError(Exception):
    """Base of every error that LibrA raises on purpose."""


class MalformedEvent(LibraError):
    """Bytes that cannot be accepted as an event; the reason is the message."""


class MalformedSubject(LibraError):
    """A subject outside `lvs.<node>.<type>.<key...>`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a config: where, what was expected and what to do.

    *path* is the dotted key path; *line* and *column* count from 1, 0 when unknown.
    """

    path: str
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Render as `file:line:column: path: message (hint)`."""
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else ""
        subject = f"{self.path}: " if self.path else ""
        return f"{place}{subject}{self.message}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(LibraError):
    """A config that cannot be accepted; *problems* holds all of them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
