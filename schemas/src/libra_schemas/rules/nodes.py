"""Nodes: no two with one address."""

from collections.abc import Iterator

from libra_schemas.config import Config
from libra_schemas.places import Finding


def addresses(config: Config) -> Iterator[Finding]:
    """Tell two nodes with one address."""
    owners: dict[object, str] = {}
    for name, node in config.nodes.items():
        first = owners.setdefault(node.address, name)
        if first != name:
            message = f"node {first} has this address already"
            read = (("nodes", first, "address"),)
            yield Finding(("nodes", name, "address"), message, read=read)
