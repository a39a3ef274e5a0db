"""What steadies a service's verdicts: `damping: {changes: 5}`, `max_down: 50%`, `vantage: any`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StringConstraints

from libra_schemas.config.fields import Duration, Span
from libra_schemas.model import Strict

_SHARE = r"^([1-9][0-9]?|100)%$"

Most = (
    Annotated[str, StringConstraints(pattern=_SHARE), Field(examples=["50%"])]
    | Annotated[StrictInt, Field(ge=0, le=65535)]
)
"""A number of backends, or a share of the pool such as `50%`."""


class DampingConfig(Strict):
    """When a backend that goes up and down too often is held down, and for how long."""

    changes: Annotated[StrictInt, Field(ge=2, le=1000)] = 5
    """How many changes between up and down within `within` hold a backend down."""
    within: Span = 60.0
    """The time in which they are counted."""
    stable: Span = 60.0
    """How long its checks must not have changed their mind for the hold to end."""


class MaxDownConfig(Strict):
    """How much of the pool health may take out."""

    most: Most
    """How many backends, or which share of them, rounded down, but one at least."""
    within: Span = 300.0
    """For how long one that was taken out and has not come back is counted."""

    def allowance(self, size: int) -> int:
        """Tell how many backends of a pool of *size* may be taken out."""
        if isinstance(self.most, int):
            return self.most
        return max(1, size * int(self.most.removesuffix("%")) // 100)


def _from_most(value: object) -> object:
    return value if isinstance(value, dict | MaxDownConfig) else {"most": value}


MaxDown = Annotated[
    MaxDownConfig, BeforeValidator(_from_most, json_schema_input_type=MaxDownConfig | Most)
]


class VantageConfig(Strict):
    """Whose view of a backend counts, and what becomes of a vote that is missing."""

    mode: Literal["local", "majority", "any"] = "majority"
    """`local` is what this node sees; by `majority` a backend is down where more nodes see it down
    than up; by `any` it is up as long as one node sees it up.
    """
    unreachable: Literal["ignore", "up", "down"] = "ignore"
    """What a node counts as that is out of reach or has not voted: for `up`, for `down`, or for
    nothing. Votes come over a leaf link between the nats-servers, which this release does not set
    up by itself.
    """


def _from_mode(value: object) -> object:
    return {"mode": value} if isinstance(value, str) else value


Vantage = Annotated[
    VantageConfig,
    BeforeValidator(
        _from_mode, json_schema_input_type=VantageConfig | Literal["local", "majority", "any"]
    ),
]


def _steps(seconds: float) -> float:
    if 0 < seconds < 1:
        raise ValueError("must be 0 or at least 1s: it has ten steps")
    return seconds


SlowStart = Annotated[Duration, AfterValidator(_steps)]
"""Seconds, 0 or at least 1."""
