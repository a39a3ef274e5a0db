"""The operator's will for one backend, joined from every admin register that speaks of it.

Rule: the narrower register wins (backend over service over node), and of two modes the stricter
one (maint over drain over ready); an admin state with *node* speaks of that node alone.
A state is whole: what it does not say is not remembered from the one before it, so the state that
follows a drain repeats the weight that is to come back (`libra_console.acts`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from libra_schemas.events import AdminState

Mode = Literal["ready", "drain", "maint"]
_STRICTNESS: dict[Mode, int] = {"ready": 0, "drain": 1, "maint": 2}


@dataclass(frozen=True, slots=True)
class Will:
    """What operators want of a backend; *weight* None leaves the config's."""

    mode: Mode = "ready"
    weight: int | None = None


READY = Will()


def keys_of(node: str, service: str, backend: str) -> tuple[tuple[str, ...], ...]:
    """List the entities whose admin state speaks of *backend*, widest first."""
    return (("node", node), ("service", service), ("backend", service, backend))


def join(node: str, states: Iterable[AdminState | None]) -> Will:
    """Join admin states, widest first, as they hold on *node*."""
    will = READY
    for state in states:
        if state is None or state.node not in (None, node):
            continue
        mode = max(will.mode, state.mode, key=_STRICTNESS.__getitem__)
        will = Will(mode, state.weight if state.weight is not None else will.weight)
    return will
