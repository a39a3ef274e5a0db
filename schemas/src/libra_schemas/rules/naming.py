"""Names: which exist, which are reserved, and the nodes' own addresses."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from libra_schemas.config import RESERVED, Config
from libra_schemas.places import Finding, Path
from libra_schemas.suggestions import nearest


@dataclass(frozen=True, slots=True)
class Names:
    """Every name that the document writes, whether or not what it names is valid."""

    nodes: frozenset[str]
    services: frozenset[str]

    @classmethod
    def of(cls, document: Any) -> "Names":
        """Collect the names in *document*, as loaded from YAML or JSON."""
        return cls(_keys(document, "nodes"), _keys(document, "services"))


def _keys(document: Any, section: str) -> frozenset[str]:
    value = document.get(section) if isinstance(document, dict) else None
    return frozenset(value) if isinstance(value, dict) else frozenset()


def unknown(
    path: Path, name: str, known: Collection[str], what: str, *, on_key: bool = False
) -> Iterator[Finding]:
    """Yield a finding where *name* is none of *known*."""
    if name not in known:
        hint = nearest(name, known) or f"known: {', '.join(sorted(known)) or 'none'}"
        yield Finding(path, f"no {what} is called {name!r}", hint, on_key=on_key)


def reserved(config: Config, _: Names) -> Iterator[Finding]:
    """Keep `all` and `cluster` free: they are subject tokens of their own."""
    named: list[Path] = [
        *(("nodes", name) for name in config.nodes),
        *(("instances", name) for name in config.instances),
        *(("services", name) for name in config.services),
        *(("services", s, "backends", b) for s, v in config.services.items() for b in v.backends),
        *(("notify", name) for name in config.notify),
    ]
    for path in named:
        if path[-1] in RESERVED:
            yield Finding(path, f"the name {path[-1]!r} is reserved", "rename it", on_key=True)


def node_addresses(config: Config, _: Names) -> Iterator[Finding]:
    """Tell two nodes with one address."""
    owners: dict[object, str] = {}
    for name, node in config.nodes.items():
        first = owners.setdefault(node.address, name)
        if first != name:
            yield Finding(("nodes", name, "address"), f"node {first} has this address already")
