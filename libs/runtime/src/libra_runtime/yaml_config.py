"""Config files: YAML read with the position of every key and value.

YAML 1.2's core schema: `yes`, `no`, `on`, `off` and dates are text, keys are always text. A key
that stands twice in one mapping is an error.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from libra_runtime.barrier import barrier
from libra_runtime.yaml_hints import KEEPALIVED, NO_COLON, hint_for, keepalived_begins
from libra_schemas.config import Config
from libra_schemas.errors import ConfigError, Problem
from libra_schemas.load import config_from
from libra_schemas.places import Finding, Path, Places, Position

_Base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MOST_VALUES = 2_000_000
"""Beyond this a file is an alias bomb, not a config."""

_DEEPEST = 64


_SCALARS = (
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ("~", "n", "N", "")),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), tuple("tTfF")),
    (
        "int",
        re.compile(r"^(?:[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15})$"),
        tuple("-+0123456789"),
    ),
    (
        "float",
        re.compile(r"^[-+]?(?:\.[0-9]{1,18}|[0-9]{1,18}\.[0-9]{0,18})(?:[eE][-+]?[0-9]{1,2})?$"),
        tuple("-+.0123456789"),
    ),
)
"""Tag, spelling and possible first characters (YAML 1.2.2 §10.3.2)."""

_SPELLING = {kind: pattern for kind, pattern, _ in _SCALARS}
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", *_SPELLING))


class _Loader(_Base):  # type: ignore[misc]  # the C loader where the wheel has it
    """A loader that resolves scalars as YAML 1.2's core schema does."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's name and form
        first: [
            (f"tag:yaml.org,2002:{tag}", pattern)
            for tag, pattern, firsts in _SCALARS
            if first in firsts
        ]
        for first in ("", *"~nNtTfF-+.0123456789")
    }
    depth = 0

    def descend_resolver(self, node: yaml.Node | None, index: Any) -> None:
        """Refuse to go deeper than any config: the C composer recurses until the stack ends."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise yaml.YAMLError(f"more than {_DEEPEST} levels deep")
        super().descend_resolver(node, index)

    def ascend_resolver(self) -> None:
        """Come back up."""
        self.depth -= 1
        super().ascend_resolver()


def load_config(text: str, file: str) -> tuple[Config, dict[str, Any]]:
    """Parse *text* of *file*: the config and the document as written; raise ConfigError."""
    return load_placed(text, file)[:2]


def load_placed(text: str, file: str) -> tuple[Config, dict[str, Any], Places]:
    """Parse *text* of *file* likewise, and tell where everything stands in it.

    Of a value that could not be read it is not said too that it is none.
    """
    reading = parse(text, file)
    found = reading.problems
    try:
        config = config_from(reading.document, reading.places)
    except ConfigError as error:
        told = {(each.path, each.line) for each in found}
        found += (each for each in error.problems if (each.path, each.line) not in told)
    else:
        if not found:
            return config, reading.document, reading.places
    raise ConfigError(tuple(sorted(found, key=lambda each: (each.line, each.column))))


def read_config(path: FilePath) -> tuple[Config, dict[str, Any]]:
    """Read and parse a config file; raise ConfigError, also where it cannot be read."""
    return read_placed(path)[:2]


def read_placed(path: FilePath) -> tuple[Config, dict[str, Any], Places]:
    """Read and parse a config file likewise, and tell where everything stands in it."""
    return load_placed(_text_of(path), str(path))


def _text_of(path: FilePath) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _single(str(path), f"not UTF-8: byte {error.start}") from None
    except IsADirectoryError:
        raise _single(
            str(path),
            "is a directory; compose makes one where LIBRA_CONFIG names a file that does not "
            "exist: remove it, and name the file",
        ) from None
    except PermissionError:
        raise _single(str(path), f"cannot be read: Permission denied; {_let_in(path)}") from None
    except OSError as error:
        raise _single(str(path), f"cannot be read: {error.strerror}") from None


def parse(text: str, file: str) -> "Reading":
    """Parse YAML into plain values and their places; raise ConfigError for what is no YAML."""
    if line := keepalived_begins(text):
        raise ConfigError((Problem("", *KEEPALIVED, file, line, 1),))
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise _syntax(text, file, error) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise _single(file, f"no YAML: {error}") from None
    if root is None:
        raise _single(file, "the file is empty", "start with version: 1")
    reading = Reading(file)
    reading.document = reading.value(root, ())
    return reading


@dataclass(slots=True)
class Reading:
    """One walk through a node graph."""

    file: str
    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    document: Any = None

    @property
    def places(self) -> Places:
        """Tell where everything stands."""
        return Places(self.file, self.keys, self.values)

    def value(self, node: yaml.Node, path: Path) -> Any:
        """Turn *node* into a plain value, noting where it stands."""
        self.values[path] = _position(node)
        if len(path) > _DEEPEST or len(self.values) > _MOST_VALUES:
            raise _single(self.file, "too deep or too large (an alias within itself?)")
        if node.tag not in _TAGS:
            self._problem(node, path, f"the tag {node.tag} means nothing here", "leave it out")
            return None
        if isinstance(node, yaml.MappingNode):
            return {key: self.value(each, (*path, key)) for key, each in self._entries(node, path)}
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*path, index)) for index, each in enumerate(node.value)]
        return self._scalar(node, path)

    def _entries(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, yaml.Node]]:
        seen: dict[str, int] = {}
        for key, each in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._problem(key, path, "a key is plain text")
            elif key.value in seen:
                hint = f"first in line {seen[key.value]}"
                self._problem(key, (*path, key.value), "this key stands here twice", hint)
            else:
                seen[key.value] = key.start_mark.line + 1
                self.keys[(*path, key.value)] = _position(key)
                yield key.value, each

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        text = node.value
        kind = node.tag.rpartition(":")[2]
        if kind in _SPELLING and not _SPELLING[kind].match(text):
            self._problem(node, path, f"{text!r} is no {kind}", "leave the tag out")
            return None
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
            case "float":
                return float(text)
            case _:
                return str(text)

    def _problem(self, node: yaml.Node, path: Path, message: str, hint: str = "") -> None:
        at = Places(self.file, values={path: _position(node)})
        self.problems.append(at.problem(Finding(path, message, hint)))


def _position(node: yaml.Node) -> Position:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _syntax(text: str, file: str, error: yaml.MarkedYAMLError) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    if error.problem == NO_COLON:
        mark = error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    message = ", ".join(part for part in (error.context, error.problem) if part)
    here = text.split("\n")[line - 1] if 0 < line <= text.count("\n") + 1 else ""
    hint = hint_for(here, error.problem or "")
    return ConfigError((Problem("", f"no YAML: {message}", hint, file, line, column),))


LET_READ = "run `chmod a+r` on it (a config holds no secret, it names the files that do)"


def _let_in(path: FilePath) -> str:
    """Say what lets this process read a file."""
    found = barrier(path)
    if found is None or not found.is_above:
        return LET_READ
    return f"{found}: `chmod a+x {found.path}`, or keep the file where everybody gets"


def _single(file: str, message: str, hint: str = "") -> ConfigError:
    return ConfigError((Problem("", message, hint, file, 1, 1),))
