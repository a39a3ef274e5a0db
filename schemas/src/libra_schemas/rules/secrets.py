"""Which names say that their value is a secret: of headers, variables and arguments.

Rule: a secret is never a value in a config; a name that merely looks like one is no secret.
"""

import re

_SECRET = re.compile(
    r"token(?!i[sz])|secret|credential|cookie|pass-?(word|wd|phrase)|(?<!by)(?<!com)pass$"
    r"|(?<!^)(?<!^old)pwd|(api|access|private|subscription)-?key"
    r"|authori[sz]ation|authentication|(?<![a-z])auth(?![a-z])"
)
_ARGUMENT = re.compile(r"-{0,2}([A-Za-z][A-Za-z0-9_.-]*)=.+", re.DOTALL)
_WAYS = frozenset({"auth", "authentication", "authorization"})
"""Of a program's arguments: how it shows who it is, as in --auth=basic."""
_TAKES_ONE = re.compile(
    r"--?(?!(?:no|skip|without)-)(?:[a-z0-9]+-)*"
    r"(?:password|passwd|passphrase|pass|pwd|secret|token|(?:api|access|private)-?key)"
)
"""Options whose next word is the secret; --no-password, --token-type and their like are none."""


def is_secret(name: str) -> bool:
    """Tell whether what bears *name* is a secret, in any case and with any of - and _."""
    return _SECRET.search(name.lower().replace("_", "-")) is not None


def names_file(name: str) -> bool:
    """Tell whether what bears *name* is the path of a file."""
    return name.lower().replace("_", "-").endswith("-file")


def is_secret_argument(argument: str) -> bool:
    """Tell whether a program's argument gives a secret, as --password=... does."""
    match = _ARGUMENT.fullmatch(argument)
    if match is None or match[1].lower() in _WAYS or names_file(match[1]):
        return False
    return is_secret(match[1])


def is_secret_option(option: str, value: str) -> bool:
    """Tell whether an option gives a secret by the argument after it, as --password hunter2 does.

    Another option after it, or a path, is none.
    """
    spelled = option.lower().replace("_", "-")
    return value[:1] not in {"", "-", "/"} and _TAKES_ONE.fullmatch(spelled) is not None
