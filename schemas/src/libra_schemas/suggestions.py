"""What a mistyped key of the config was probably meant to be.

Rule: the known keys are read from the models; keys that the design knows and this release does not
have yet are named as such, and a secret written as a value is sent to its `*_file`.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from libra_schemas.keepalived import ABSENT, translated
from libra_schemas.misplaced import foreign, raised, whereabouts
from libra_schemas.places import Path
from libra_schemas.shapes import keys_at

NOT_YET = "not in this release yet"

LATER: dict[str, frozenset[str]] = {
    "": frozenset(
        {
            "hub", "peers", "templates", "include", "health", "metrics", "api", "log", "limits",
        }
    ),
    "instances": frozenset(
        {
            "peers", "auth", "handover", "nd", "source",
        }
    ),
    "instances.track": frozenset({"bfd"}),
    "services": frozenset(
        {
            "addresses", "ports",
            "drain", "engine", "tunnel", "quorum_up", "quorum_down",
        }
    ),
    "services.backends": frozenset({"tunnel", "addresses"}),
    "services.check": frozenset(
        {
            "bfd", "vantage",
        }
    ),
    "notify": frozenset(
        {
            "syslog", "chat", "fifo", "slack", "digest", "silence", "flood", "severity",
            "template", "group",
        }
    ),
    "nodes": frozenset({"site", "labels", "tls"}),
    "sync": frozenset({"tunnel"}),
    "tether": frozenset(),
    "ipvs": frozenset({"unlogged_after", "ballast"}),
}  # fmt: skip

_SECRETS = ("password", "passwd", "secret", "token", "auth_pass", "api_key", "apikey", "key")


def advise(path: Path) -> tuple[str, str]:
    """Say what is wrong with the unknown key at the end of *path*, and what to do: two texts."""
    key = str(path[-1])
    known = keys_at(path[:-1])
    if (said := foreign(key)) is not None:
        return said
    if f"{key}_file" in known or key.lower() in _SECRETS:
        return "a secret is never a value", _file_hint(key, known)
    if is_later(path):
        return NOT_YET, ABSENT.get(key, "leave it out")
    hint = raised(path) or translated(key, str(path[0])) or whereabouts(path)
    hint = hint or nearest(key, known)
    return f"unknown key {key!r}", hint or _listed(known)


def is_later(path: Path) -> bool:
    """Tell whether *path* names something that a later release will have."""
    shape = _shape(path[:-1])
    return path[-1] in LATER.get(shape, ()) and path[-1] not in keys_at(path[:-1])


def nearest(word: str, known: Iterable[str]) -> str:
    """Ask for the nearest of *known*, "" where none is near."""
    close = get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else ""


def _file_hint(key: str, known: frozenset[str]) -> str:
    named = f"{key}_file"
    if named in known:
        return f"write it to a file and name that as {named}"
    held = sorted(name for name in known if name.endswith("_file"))
    if held:
        return f"write it to a file and name that as {' or '.join(held)}"
    return "write it to a file; no key here takes one"


def _listed(known: frozenset[str]) -> str:
    return f"known here: {', '.join(sorted(known))}" if known else ""


def _shape(path: Path) -> str:
    """Spell *path* without names and indices: `services.web.check` -> `services.check`."""
    words = [part for part in path if isinstance(part, str)]
    if "check" in words:
        return "services.check"
    return ".".join(words[::2]) if words and words[0] not in {"sync", "ipvs"} else ".".join(words)
