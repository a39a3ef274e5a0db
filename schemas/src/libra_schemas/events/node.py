"""What every service says of itself."""

from typing import Annotated, Literal

from pydantic import Field

from libra_schemas.events.common import Data, EvidenceText
from libra_schemas.model import Digest, Name


class Started(Data):
    """A service started; its epoch fences every earlier process of the same name."""

    service: Name
    version: str
    pid: Annotated[int, Field(ge=1)]


class Stopped(Data):
    """A service ended in order."""

    service: Name
    why: EvidenceText = ""


class Recovered(Data):
    """What a service found of its past: where its log ended and what was lost or repeated."""

    service: Name
    kind: Literal["start", "reconnect", "log-lost", "log-shortened"] = "start"
    last: Annotated[int, Field(ge=0)] = 0
    chainseq: str = "0"
    sent_again: Annotated[int, Field(ge=0)] = 0
    coalesced: Annotated[int, Field(ge=0)] = 0
    """Events that a newer one of the same register replaced while the outbox was full."""
    dropped: Annotated[int, Field(ge=0)] = 0
    kernel: Digest | None = None
