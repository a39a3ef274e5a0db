"""What checks need of a machine and this one has not: files, programs, users.

A note, no error: a config may be checked on another machine than those that it is for.
"""

import pwd
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from libra_schemas.config import CheckConfig, Config
from libra_schemas.places import Finding
from libra_schemas.places import Path as Place
from libra_schemas.rules.checks import written
from libra_schemas.rules.tls import spoken

_CREDENTIALS = ("ca_file", "certificate_file", "key_file")
_NOBODY = "nobody"
"""A user that checks do without."""

_Needed = tuple[Place, str]


def absent(config: Config) -> Iterator[Finding]:
    """Name what is not here, each file and each user once, at its first place."""
    for file, place in _firsts(_files(config)).items():
        if _is_missing(Path(file)):
            yield _finding(place, f"there is no {file} on this machine")
    for user, place in _firsts(_users(config)).items():
        if user != _NOBODY and _is_unknown(user):
            yield _finding(place, f"there is no user {user} on this machine")


def _firsts(needed: Iterable[_Needed]) -> dict[str, Place]:
    first: dict[str, Place] = {}
    for place, what in needed:
        first.setdefault(what, place)
    return first


def _finding(place: Place, message: str) -> Finding:
    return Finding(place, message, "every node that checks needs it")


def _files(config: Config) -> Iterator[_Needed]:
    for path, spec in spoken(config):
        for key in _CREDENTIALS:
            if (file := getattr(spec, key)) is not None:
                yield (*path, key), file
    for path, check in written(config):
        yield from chain(_passwords(path, check), _headers(path, check), _own(path, check))


def _passwords(path: Place, check: CheckConfig) -> Iterator[_Needed]:
    for kind, spec in (("smtp", check.smtp), ("ldap", check.ldap)):
        if spec is not None and spec.password_file is not None:
            yield (*path, kind, "password_file"), spec.password_file


def _headers(path: Place, check: CheckConfig) -> Iterator[_Needed]:
    for kind, spec in (("http", check.http), ("https", check.https)):
        for name, file in spec.headers_files.items() if spec is not None else ():
            yield (*path, kind, "headers_files", name), file


def _own(path: Place, check: CheckConfig) -> Iterator[_Needed]:
    """Give the program of an `exec` check, and the file of one of which it must be there."""
    if check.exec is not None:
        yield (*path, "exec", "command", 0), check.exec.command[0]
    if check.file is not None and check.file.missing == "error":
        yield (*path, "file", "path"), check.file.path


def _users(config: Config) -> Iterator[_Needed]:
    for path, check in written(config):
        if check.exec is not None and check.exec.user is not None:
            yield (*path, "exec", "user"), check.exec.user


def _is_missing(file: Path) -> bool:
    """Tell whether *file* is certainly not there; of what nobody lets us see nothing is said."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _is_unknown(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return True
    return False
