"""What an instance watches: `track: {interfaces: [eth1], programs: {gw: {command: [...]}}}`.

Rule: a tracked object with a `weight` moves the priority, one without is a fault while it is down.
A tracked service always has one: all backends dead must not leave the addresses ownerless. The copy
of the peer's connections has one unless `fault` is written: without any, connections are lost only.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, model_validator

from libra_schemas.config.command import Command
from libra_schemas.config.fields import (
    Duration,
    FilePath,
    Interface,
    Span,
    parse_duration,
)
from libra_schemas.model import Name, Strict

_SHORTEST = 0.1
_EVERY, _TIMEOUT = 2.0, 1.0


def _not_zero(value: int) -> int:
    if value == 0:
        raise ValueError("0 would change nothing; leave weight out to have a fault")
    return value


def _often_enough(value: float) -> float:
    if value < _SHORTEST:
        raise ValueError("must be 100ms or longer")
    return value


Weight = Annotated[StrictInt, Field(ge=-253, le=253), AfterValidator(_not_zero)]
Factor = Annotated[StrictInt, Field(ge=-254, le=254), AfterValidator(_not_zero)]
Every = Annotated[Span, AfterValidator(_often_enough)]
ProcessName = Annotated[str, Field(pattern=r"^[^/\x00-\x1f]{1,255}$", examples=["haproxy"])]


class TrackedInterface(Strict):
    """Another interface, by name."""

    name: Interface
    """The interface."""
    weight: Weight | None = None
    """Below 0: added to the priority while it is down; above 0: while it is up. Without it one
    that is down is a fault.
    """
    down_for: Duration = 0.0
    """How long it must be down before that counts."""
    up_for: Duration = 0.0
    """How long it must be up again before that counts."""


class TrackedProgram(Strict):
    """A program whose exit status says whether all is well, run without a shell or privileges."""

    command: Command
    """The program, by its whole path, and its arguments. Exit status 0 means up."""
    weight: Weight | None = None
    """Below 0: added to the priority while the program fails; above 0: while it succeeds. Without
    it a program that fails is a fault.
    """
    every: Every = _EVERY
    """Time from one start to the next, 100ms or longer; never two at once."""
    timeout: Span = _TIMEOUT
    """Longest time that it may run, `every` at most; then its process group is killed, which is a
    failure. Where nobody wrote it, never longer than `every`.
    """
    rise: Annotated[StrictInt, Field(ge=1, le=1000)] = 2
    """How many successes in a row count as up; the first run of all counts at once."""
    fall: Annotated[StrictInt, Field(ge=1, le=1000)] = 3
    """How many failures in a row count as down; the first run of all counts at once."""

    @model_validator(mode="before")
    @classmethod
    def _timeout_within(cls, value: object) -> object:
        """Let a timeout that nobody wrote not exceed the `every` that somebody wrote."""
        if not isinstance(value, dict) or "timeout" in value or "every" not in value:
            return value
        try:
            return value | {"timeout": min(_TIMEOUT, parse_duration(value["every"]))}
        except ValueError:
            return value


class TrackedFile(Strict):
    """A file that holds one whole number."""

    path: FilePath
    """The file, by its whole path; one that is missing holds 0, and one that holds no number
    counts as it did before.
    """
    weight: Factor | None = None
    """Times the number in the file, this is added to the priority, -254 to 254 at most. Without it
    any number but 0 is a fault.
    """
    every: Every = 1.0
    """How often the file is read, 100ms or longer."""
    down_for: Duration = 0.0
    """How long a number that lowers the priority must stand before that counts."""
    up_for: Duration = 0.0
    """How long a number that raises it again must stand before that counts."""


class TrackedProcess(Strict):
    """Processes of one name on this host: the end of one counts at once, a new one within 1 s."""

    name: ProcessName | None = None
    """What `ps -C` finds them by, the program's file name; without it the name here in the config.
    """
    quorum: Annotated[StrictInt, Field(ge=1, le=65535)] = 1
    """How many must run."""
    weight: Weight | None = None
    """Below 0: added to the priority while fewer run; above 0: while enough run. Without it too few
    are a fault.
    """
    down_for: Duration = 0.0
    """How long too few must run before that counts."""
    up_for: Duration = 0.0
    """How long enough must run again before that counts."""


class TrackedService(Strict):
    """A service of this config; it is up while its sorry server serves."""

    weight: Weight = -20
    """Below 0: added to the priority while the service is down; above 0: while it is up. The sum of
    all weights keeps the priority within 1-254, and a priority of 255 stays.
    """
    down_for: Duration = 0.0
    """How long it must be down before that counts."""
    up_for: Duration = 0.0
    """How long it must be up again before that counts."""


class TrackedSync(Strict):
    """How much of the peer's connections this node's kernel holds, as `conn.fresh` says."""

    coverage: Annotated[StrictInt, Field(ge=1, le=100)] = 90
    """Percent of the peer's connections; fewer count as down."""
    weight: Weight | Literal["fault"] = -20
    """Below 0: added to the priority while fewer are here; above 0: while enough are.
    `fault`: too few are a fault.
    """
    down_for: Duration = 0.0
    """How long too few must be here before that counts."""
    up_for: Duration = 0.0
    """How long enough must be here again before that counts."""

    @property
    def delta(self) -> int | None:
        """The weight as a number, None for a fault."""
        return None if self.weight == "fault" else self.weight


class Track(Strict):
    """What moves the priority or faults the instance."""

    interfaces: tuple[Interface | TrackedInterface, ...] = ()
    """Other interfaces; one that is down is a fault, or moves the priority as in `{name: eth2,
    weight: -30}`.
    """
    programs: dict[Name, TrackedProgram] = Field(default_factory=dict)
    """Programs by a name of your own. Who says the same of one runs it once."""
    files: dict[Name, TrackedFile] = Field(default_factory=dict)
    """Files by a name of your own, with a number that someone else writes."""
    processes: dict[Name, TrackedProcess] = Field(default_factory=dict)
    """Processes that must run."""
    services: dict[Name, TrackedService] = Field(default_factory=dict)
    """Services by name that move the priority while they have neither quorum nor a sorry server."""
    sync: TrackedSync | None = None
    """The copy of the peer's connections, `{}` for the defaults. In this release nothing publishes
    `conn.fresh` yet: until something does it counts as up.
    """
