"""What a visitor of a running lab asks for, and in which of its machines."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class Order:
    """One command to run in a running lab; `node` is None for the lab itself.

    `terminal` says that the visitor sits at one, of `size` (rows, columns).
    """

    argv: list[str]
    node: str | None
    cwd: str
    environment: dict[str, str]
    terminal: bool = False
    size: tuple[int, int] = (24, 80)

    def encode(self) -> bytes:
        """Return the order as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Order":
        """Return the order that `encode` wrote."""
        fields = json.loads(data)
        fields["size"] = tuple(fields["size"])
        return cls(**fields)


def short(namespace: str) -> str:
    """Return a node's name without its topology's prefix (`lab12.0.a` -> `a`)."""
    return namespace.rpartition(".")[2]


def namespace_of(name: str, there: Iterable[str]) -> str:
    """Return the namespace that `name` means, in full or short; raise LookupError, one sentence."""
    nodes = sorted(each for each in there if short(each) != SWITCH)
    if name in nodes:
        return name
    found = [each for each in nodes if short(each) == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise LookupError(f"several nodes are called {name}: name one of {', '.join(found)}")
    held = f"it has {', '.join(short(each) for each in nodes)}" if nodes else "it has none"
    raise LookupError(
        f"no node of this lab is called {name}: {held} (lab/enter -- COMMAND: no node)"
    )
