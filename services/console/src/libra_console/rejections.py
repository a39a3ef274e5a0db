"""What the log is told of a config that was refused: bounded, and without secrets.

Rule: a value is a guess of what somebody wanted to write. Beside a key that holds a secret, or
names the file of one, no value is repeated; elsewhere none that carries a password in a URL.
"""

import re
from collections.abc import Iterable, Iterator

from libra_schemas.errors import Problem
from libra_schemas.events import ConfigRejected
from libra_schemas.events.console import ProblemData
from libra_schemas.text import evidence

MOST = 50
"""Problems that one event lists; the number of the others stands at the end."""

ROOM = 48 << 10
"""Bytes of all listed problems; an event holds 64 KiB (design §3)."""

_PATH = 256
"""Bytes of a path or a file's name."""

_SECRET = re.compile(
    r"_file\b|passw|secret|token|key\b|seed|url|seal|auth|credential", re.IGNORECASE
)
_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_USER_IN_URL = re.compile(r"//[^/@\s]*@")


def rejection(problems: Iterable[Problem], author: str, hash_: str) -> ConfigRejected:
    """Make the event of a config that never became a revision (number 0)."""
    told = list(problems)
    listed = list(_fitting(_problem(each) for each in told[:MOST]))
    if len(told) > len(listed):
        listed.append(ProblemData(path="", message=f"and {len(told) - len(listed)} more"))
    return ConfigRejected(number=0, hash=hash_, author=author, problems=tuple(listed))


def _fitting(problems: Iterable[ProblemData]) -> Iterator[ProblemData]:
    room = ROOM
    for each in problems:
        room -= len(each.model_dump_json().encode())
        if room < 0:
            return
        yield each


def _problem(problem: Problem) -> ProblemData:
    return ProblemData(
        path=evidence(problem.path, _PATH),
        message=evidence(_without_secrets(problem.message, problem.path)),
        hint=evidence(_without_secrets(problem.hint, problem.path)),
        file=evidence(problem.file, _PATH),
        line=problem.line,
        column=problem.column,
    )


def _without_secrets(text: str, path: str) -> str:
    plain = _USER_IN_URL.sub("//…@", text)
    return _QUOTED.sub("'…'", plain) if _SECRET.search(path) else plain
