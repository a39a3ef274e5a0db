"""What the console says: config, operators' acts, peers."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from libra_schemas.events.common import Data, EvidenceText
from libra_schemas.model import Digest, Fact, Name, Weight


class ProblemData(Fact):
    """One reason why a config was not accepted (see `libra_schemas.errors.Problem`)."""

    path: str
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0


class ConfigApplied(Data):
    """A config as written, and where it comes from.

    *document* is the parsed YAML; *hash* the SHA-256 of its canonical JSON
    (`libra_schemas.canonical`); *base* the revision it was made from.
    """

    number: Annotated[int, Field(ge=1)]
    hash: Digest
    document: dict[str, Any]
    author: str
    base: str | None = None
    comment: EvidenceText = ""


class ConfigRejected(Data):
    """A config that was refused; the one before it stays in force.

    *number* is 0 where it never became a revision; *hash* is then of what was offered.
    """

    number: Annotated[int, Field(ge=0)]
    hash: Digest
    author: str
    problems: tuple[ProblemData, ...]


class AdminState(Data):
    """An entity's whole admin state, who set it, why, and until when.

    *entity* is the subject key (`("backend", service, backend)`, `("service", s)`, ...);
    *node* restricts it to one node. No fold compares *until* with a clock: when it passes the
    console publishes the following state.
    """

    entity: Annotated[tuple[str, ...], Field(min_length=2, max_length=3)]
    mode: Literal["ready", "drain", "maint"] = "ready"
    weight: Weight | None = None
    failover: bool = False
    who: str
    why: EvidenceText = ""
    until: AwareDatetime | None = None
    node: Name | None = None


class PeerState(Data):
    """The console lost or regained a peer."""

    node: Name
    reachable: bool
    detail: EvidenceText = ""
