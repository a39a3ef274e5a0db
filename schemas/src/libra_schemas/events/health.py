"""What health says: `backend.up`, `.down`, `.weight`, `.held` and `.seen`."""

from typing import Annotated, Literal

from pydantic import Field

from libra_schemas.events.common import Data, EvidenceText
from libra_schemas.model import Address, Digest, Fact, Name, Port, Weight

DAMPED, WITHHELD, VOTED, MINORITY = "damped", "withheld", "voted", "minority"
"""Reasons of evidence that is no check's: kept down as it flaps, kept in by `max_down`, decided by
the votes of several nodes, kept in as this node reaches too few others.
"""

Protocol = Literal["tcp", "udp", "sctp", "fwmark"]


class Vote(Fact):
    """How one node saw the backend; None where it is out of reach or has not voted."""

    node: Name
    up: bool | None = None


class Evidence(Fact):
    """Why the verdict fell: the probe's last result and the count that decided.

    *reason* is `passed` or a closed label (`refused`, `timeout`, `status`, ...); *attempt* of
    *needed* equal results in a row; durations in milliseconds. *weight* is what the check gives
    the backend, None where it says nothing of it.
    """

    probe: str
    reason: str
    detail: EvidenceText = ""
    attempt: Annotated[int, Field(ge=0)] = 0
    needed: Annotated[int, Field(ge=0)] = 0
    took_ms: Annotated[float, Field(ge=0)] = 0.0
    observed_ms: Annotated[float, Field(ge=0)] = 0.0
    """From the first of the equal results to the verdict."""
    votes: tuple[Vote, ...] = ()
    weight: int | None = None


class BackendState(Data):
    """The verdict on one backend of one service.

    *target* is the digest of (address, port, protocol, check specs) it was reached against:
    it counts only while the config's digest is the same. *weight* is the effective weight that
    checks and slow start give, None where the config's weight holds; *ramp* how much of its weight
    slow start gives so far, in percent, None where it gives all. *held*: it fails and serves on,
    with the least weight, because `max_down` lets no more be taken out, or because this node
    reaches too few others to take the last one out. *seen* is how this node alone sees it where
    the service counts the votes of several, None elsewhere.
    """

    service: Name
    backend: Name
    address: Address
    port: Port
    protocol: Protocol
    target: Digest
    up: bool
    held: bool = False
    seen: bool | None = None
    weight: Weight | None = None
    ramp: Annotated[int, Field(ge=1, le=100)] | None = None
    evidence: tuple[Evidence, ...] = ()
