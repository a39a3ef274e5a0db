"""The bodies of the gateway's requests, as they come."""

from typing import Any

from pydantic import Field

from libra_schemas.events.console import ProblemData
from libra_schemas.model import Digest, Strict


class Offer(Strict):
    """The body of POST /v1/config."""

    document: Any
    author: str = ""
    base: str | None = None
    comment: str = Field(default="", max_length=2048)
    file: str = ""
    rule: str = Field(default="always", pattern="^(always|changed)$")


class Refused(Strict):
    """The body of POST /v1/config/rejected: a file that is no config; *hash* is of its bytes."""

    hash: Digest
    problems: tuple[ProblemData, ...] = Field(min_length=1)
    author: str = ""
