"""Why something is not known: who would say it, and what keeps that service from saying it.

Rule: what a service says of itself now (its health endpoint) counts before what the log holds.
"""

from collections.abc import Mapping

from libra_schemas.events import Stopped
from libra_schemas.intent.fold import State, data

Troubles = Mapping[str, str | None]
"""Service -> what it says is wrong with it, None = healthy; absent where it cannot be asked."""


def silence(registers: State, troubles: Troubles, service: str, otherwise: str) -> str:
    """Say why *service* has not spoken of something; *otherwise* where nothing is wrong with it."""
    started, stopped = registers.get(("started", service)), registers.get(("stopped", service))
    if started is None:
        return f"{service} has never run on this node"
    if stopped is not None and stopped.sequence > started.sequence:
        end = data(registers, Stopped, "stopped", service)
        return f"{service} does not run" + (f": {end.why}" if end and end.why else "")
    trouble = troubles.get(service)
    return f"{service}: {trouble}" if trouble else otherwise
