"""A program and its arguments as people write them: a list of words, since no shell reads them.

Rule: what only a shell would understand is refused; what was written is never repeated, it could
hold a secret.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

_JOINS = frozenset({"|", "||", "&&"})
"""Words by which a shell joins two commands."""
_PROGRAM = re.compile(r"/?[A-Za-z][\w./-]*")
_REDIRECTS = re.compile(r"[0-9]?>>?(&[0-9]|/dev/null)")
"""Words by which a shell says where output goes."""
_OURS = re.compile(r"\$\{?(LIBRA_[A-Z]+)")
_INTERPRETER = re.compile(r"(.*/)?([a-z]*sh|busybox|python[0-9.]*|perl|ruby|node|lua|php)")
_TAKES_A_TEXT = re.compile(r"-[A-Za-z]*[cer]")
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
    if len(value) == 1 and _is_line(value[0]):
        raise ValueError(f"is one word, and no shell parts it into several; {_HOW}")
    if not any(map(_INTERPRETER.fullmatch, value)) or not any(map(_TAKES_A_TEXT.fullmatch, value)):
        _without_shell(value)
    return value


def _is_line(word: str) -> bool:
    """Tell whether a word is a program with arguments, not a path that has blanks in it."""
    return any("/" not in each[1:] or "://" in each for each in word.split()[1:])


def _without_shell(value: tuple[str, ...]) -> None:
    for before, word, after in zip(value, value[1:], (*value[2:], ""), strict=False):
        joins = word in _JOINS and not before.startswith("-") and _PROGRAM.fullmatch(after)
        if joins or _REDIRECTS.fullmatch(word):
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
