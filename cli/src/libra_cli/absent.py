"""What checks need of a machine and this one has not, or not so: files, programs, users.

A note, no error: a config may be checked on another machine than those that it is for.
"""

import pwd
import stat
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

_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_PEM = b"-----BEGIN "
"""RFC 7468 section 2."""
_LARGEST = 1 << 20
"""Bytes; all authorities of a distribution take a quarter."""

_Needed = tuple[Place, str]


def absent(config: Config) -> Iterator[Finding]:
    """Name what is not here, each file and each user once, at its first place."""
    for file, place in _firsts(_files(config)).items():
        if wrong := _wrong(Path(file), place):
            yield _finding(place, wrong)
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


def _wrong(file: Path, place: Place) -> str | None:
    """Say why *file* certainly cannot serve; of what nobody lets us see nothing is said."""
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            return f"{file} is a directory on this machine"
        if "command" in place and not mode & _EXECUTABLE:
            return f"nobody may execute {file} on this machine"
        if place[-1] in _CREDENTIALS and stat.S_ISREG(mode) and not _holds_pem(file):
            return f"{file} on this machine has nothing in PEM"
    except (FileNotFoundError, NotADirectoryError):
        return f"there is no {file} on this machine"
    except OSError:
        return None
    return None


def _holds_pem(file: Path) -> bool:
    with file.open("rb") as content:
        return _PEM in content.read(_LARGEST)


def _is_unknown(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return True
    return False
