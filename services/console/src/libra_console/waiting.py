"""Why something is not known: who would say it, and what keeps that service from saying it.

Rule: what a service says of itself now (its health endpoint) counts before what the log holds.
"""

from collections.abc import Mapping

from libra_schemas.events import Stopped
from libra_schemas.intent.fold import State, data

Troubles = Mapping[str, str | None]
"""Service -> what it says is wrong with it, None = healthy; absent where it cannot be asked."""

SILENT = "it does not answer"
"""The trouble of a service that nobody can be asked about."""


def silence(registers: State, troubles: Troubles, service: str, otherwise: str) -> str:
    """Say why *service* has not spoken of something; *otherwise* where nothing is wrong with it."""
    started, stopped = registers.get(("started", service)), registers.get(("stopped", service))
    trouble = troubles.get(service)
    if started is None:
        if service in troubles and trouble != SILENT:
            return f"{service}: {trouble}" if trouble else otherwise
        return f"{service} has not run on this node yet"
    if stopped is not None and stopped.sequence > started.sequence:
        end = data(registers, Stopped, "stopped", service)
        return f"{service} does not run" + (f": {end.why}" if end and end.why else "")
    return f"{service}: {trouble}" if trouble else otherwise
