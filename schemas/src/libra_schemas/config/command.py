"""A program and its arguments as people write them: a list of words, since no shell reads them.

Rule: what only a shell would understand is refused; what was written is never repeated, it could
hold a secret.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

_SHELLS = frozenset({"|", "||", "&&", "2>&1"})
"""Words that only a shell understands."""
_OURS = re.compile(r"\$\{?(LIBRA_[A-Z]+)")
_FOR_A_SHELL = re.compile(r"-[a-z]*c")
"""The option after which a shell, or another interpreter, takes a text."""
_HOW = 'write a list of words such as [/usr/bin/check, -H, x], or ask a shell: [/bin/sh, -c, "..."]'


def whole(value: str) -> str:
    """Refuse a text that the kernel would cut (execve(2)); raise ValueError."""
    if "\0" in value:
        raise ValueError("holds a NUL byte")
    return value


def _words(value: object) -> object:
    """Refuse a line that was written for a shell."""
    if isinstance(value, str):
        raise ValueError(f"is one text, and no shell parts it into words; {_HOW}")
    return value


def _command(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        return value
    if not value[0].startswith("/"):
        raise ValueError("must be a whole path, one that begins with /")
    if len(value) == 1 and len(value[0].split()) > 1:
        raise ValueError(f"is one word, and no shell parts it into several; {_HOW}")
    if not any(map(_FOR_A_SHELL.fullmatch, value)):
        _without_shell(value)
    return value


def _without_shell(value: tuple[str, ...]) -> None:
    for word in value[1:]:
        if word in _SHELLS:
            raise ValueError(f"the word {word} is for a shell, and none reads it; {_HOW}")
        if found := _OURS.search(word):
            message = f"no shell puts in what {found[1]} stands for"
            raise ValueError(f"{message}; the program finds it in its environment, or {_HOW}")


Command = Annotated[
    tuple[Annotated[str, AfterValidator(whole)], ...],
    Field(min_length=1, examples=[["/usr/bin/ping", "-c1", "10.0.0.1"]]),
    AfterValidator(_command),
    BeforeValidator(_words),
]
"""A program, by its whole path, and its arguments."""
