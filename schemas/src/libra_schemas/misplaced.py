"""Keys of the config that stand a level too deep or too high, and those that stand nowhere.

Rule: said only of a key that is known elsewhere by every letter; one that is mistyped is not here.
"""

from libra_schemas.places import Path
from libra_schemas.shapes import keys_at

_ANY = "NAME"

FOREIGN = {
    "<<": ("merge keys are not taken", "write the keys out; an alias of a whole value is taken"),
    "x-": (
        "extension keys are not taken",
        "write a comment (#), and an anchor (&) where its value stands first",
    ),
}
"""How keys begin that YAML or other programs know and no part of the config: what to say, to do."""


def foreign(key: str) -> tuple[str, str] | None:
    """Say what is wrong with a *key* that belongs to no config, None where it might."""
    return next((said for start, said in FOREIGN.items() if key.startswith(start)), None)


def whereabouts(path: Path) -> str:
    """Say where the key at the end of *path*, which is unknown there, stands, "" for nowhere."""
    here, key = path[:-1], str(path[-1])
    if ":" in key and key.partition(":")[0] in keys_at(here):
        return f"a space is missing after {key.partition(':')[0]}:"
    return _above(here, key) or _below(here, key)


def raised(path: Path) -> str:
    """Say that the key at the end of *path* belongs one level higher, "" where it does not."""
    here, key = path[:-1], str(path[-1])
    return f"it stands beside {here[-1]}, not in it" if key in keys_at(here[:-1]) else ""


def _above(here: Path, key: str) -> str:
    for length in range(len(here) - 1, -1, -1):
        if key in keys_at(here[:length]):
            return f"it stands beside {here[length]}, not in it"
    return ""


def _below(here: Path, key: str) -> str:
    found = [each for each in sorted(keys_at(here)) if _holds((*here, each), key)]
    if not found:
        return ""
    *others, last = found
    return f"it stands in {', '.join(others)} or {last}" if others else f"it stands in {last}"


def _holds(path: Path, key: str) -> bool:
    """Tell whether *key* may stand in what is at *path*, or in each of what is named there."""
    return key in keys_at(path) or key in keys_at((*path, _ANY))
