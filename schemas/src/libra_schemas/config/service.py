"""Services and their backends: `services: {web: {address: 192.0.2.10:80, ...}}`."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt

from libra_schemas.config.check import CheckConfig
from libra_schemas.config.fields import SWITCHES, Duration, Endpoint
from libra_schemas.config.verdict import DampingConfig, MaxDown, SlowStart, Vantage, VantageConfig
from libra_schemas.model import Name, Strict, Weight

SCHEDULERS = (
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos",
)  # fmt: skip
FLAGS = ("flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback", "mh-port", "mh-fallback")

Forward = Literal["nat", "dr", "tun"]
Require = Literal["all", "any"]
Threshold = Annotated[StrictInt, Field(ge=0, le=0xFFFFFFFF)]


def _from_address(value: object) -> object:
    return {"address": value} if isinstance(value, str) else value


class HoldConfig(Strict):
    """A TCP connection kept open to each backend, whose end tells at once that its server is gone.

    Its end has the backend probed at once; a connection that is then refused twice, 5 ms apart,
    fails the checks that connect there, whatever `fall` says. A server's idle timeout is learned.
    """

    enabled: StrictBool = True
    """Whether connections are held; `hold: true` and `hold: false` are short for it."""
    port: Annotated[StrictInt, Field(ge=1, le=65535)] | None = None
    """The TCP port to connect to, where it is not the backend's own. Only checks that connect to
    the same port are decided by what becomes of it; the others are hurried.
    """


def _from_switch(value: object) -> object:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        raise ValueError(_switch_problem(value))
    return {"enabled": value} if isinstance(value, bool) else value


def _switch_problem(value: object) -> str:
    if instead := SWITCHES.get(str(value).lower()):
        return f"expected true or false; YAML 1.2 reads {value} as text: write {instead}"
    form = "expected true or false, or its port as in {port: 80}"
    return f"{form}; a hold has no time: write hold: true"


_Hold = Annotated[
    HoldConfig, BeforeValidator(_from_switch, json_schema_input_type=HoldConfig | bool)
]


class BackendConfig(Strict):
    """One real server; what it does not say its service says."""

    address: Endpoint
    """Where it is; the port is left out where the service takes every port or is found by mark."""
    weight: Weight = 1
    """Its share of new connections; with 0 it gets none."""
    forward: Forward | None = None
    """How packets reach it; without it as its service says."""
    upper: Threshold = 0
    """Connections from which on it gets no new ones; 0 sets no limit."""
    lower: Threshold = 0
    """Connections below which it gets new ones again; with 0 three quarters of `upper`."""
    check: CheckConfig | tuple[CheckConfig, ...] | None = None
    """Its own check, or a list of them, in place of the service's."""
    require: Require | None = None
    """Which of several checks must pass; without it as its service says."""
    slow_start: SlowStart | None = None
    """How long it takes to its whole weight when it comes back; without it as its service says."""
    hold: _Hold | None = None
    """Whether a connection to it is held open, in place of what its service says."""


class SorryConfig(Strict):
    """Who answers while the service has no quorum."""

    address: Endpoint
    """Where it is."""
    forward: Forward | None = None
    """How packets reach it; without it as its service says."""


class ServiceConfig(Strict):
    """One virtual service: an address and port, or a firewall mark, and the pool behind it."""

    address: Endpoint | None = None
    """The virtual address and port that clients use; without a port it is every port, which
    takes `persistence`.
    """
    fwmark: Annotated[StrictInt, Field(ge=1, le=0xFFFFFFFF)] | None = None
    """In place of `address`: the mark that the firewall puts on the service's packets."""
    family: Literal["ipv4", "ipv6"] = "ipv4"
    """Address family of the packets, beside `fwmark` only."""
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"
    """Transport protocol."""
    scheduler: Literal[SCHEDULERS] = "wlc"  # type: ignore[valid-type]  # one list, also used by docs
    """How the kernel chooses the backend of a new connection."""
    flags: tuple[Literal[FLAGS], ...] = ()  # type: ignore[valid-type]  # likewise
    """Options of the scheduler: `sh-port` and `mh-port` hash the client's port too,
    `sh-fallback` and `mh-fallback` choose another backend where the first has no weight or is full.
    """
    forward: Forward = "nat"
    """How packets reach the backends: `nat` translates addresses, `dr` routes directly on the
    same link, `tun` puts packets in an IPIP tunnel.
    """
    persistence: Duration = 0.0
    """How long after its last connection a client comes to the same backend; whole seconds, 0
    is off.
    """
    persistence_prefix: Annotated[StrictInt, Field(ge=1, le=128)] | None = None
    """How many leading bits of an address make one client for `persistence`; without it all."""
    one_packet: bool = False
    """Whether every packet is scheduled by itself; for `udp` only."""
    quorum: Annotated[StrictInt, Field(ge=1)] = 1
    """Sum of the weights of healthy backends from which on the service is up; a weight of 0
    counts as 1.
    """
    hysteresis: Annotated[StrictInt, Field(ge=0)] = 0
    """Margin of `quorum`: up again at quorum plus this, down below quorum minus this."""
    sorry: (
        Annotated[
            SorryConfig,
            BeforeValidator(_from_address, json_schema_input_type=SorryConfig | Endpoint),
        ]
        | None
    ) = None
    """Who answers in place of all backends while the service is down; without it those that are
    healthy go on.
    """
    on_failure: Literal["remove", "quiesce"] = "remove"
    """What becomes of a backend that fails: `remove` takes it out of the table, `quiesce`
    leaves it there with weight 0.
    """
    on_stop: Literal["keep", "remove"] = "keep"
    """Whether the service stays in the kernel's table when LibrA is stopped in order."""
    assume_up: bool = False
    """Whether backends count as up until a check says otherwise; then they need no check."""
    check: CheckConfig | tuple[CheckConfig, ...] | None = None
    """How backends without a check of their own are checked, or a list of checks; without it
    `tcp` by address is checked by a connect.
    """
    require: Require = "all"
    """Which of several checks must pass for a backend to be up: `all` of them, or `any` one."""
    damping: DampingConfig | None = None
    """Holds a backend down that goes up and down too often; without it none is held down."""
    max_down: MaxDown | None = None
    """How many backends, or which share, health may take out within 5 minutes, or as it says; one
    more that fails keeps the least weight. Who refuses connections is always taken out, with 0
    nobody else. Without it: no limit.
    """
    slow_start: SlowStart = 0.0
    """How long a backend that comes back, or is new in a pool at work, takes to its whole weight:
    from a tenth in ten steps; a weight of 1 has no step below it and is refused. 0 is off.
    """
    vantage: Vantage = VantageConfig(mode="local")
    """Whose view of a backend counts: this node's alone (`local`), that of the `majority` of
    the `nodes`, or that of `any` node that sees it up.
    """
    hold: _Hold | None = None
    """Whether a TCP connection to each backend is kept open, whose end tells at once that its
    server is gone; off unless written.
    """
    backends: dict[
        Name,
        Annotated[
            BackendConfig,
            BeforeValidator(_from_address, json_schema_input_type=BackendConfig | Endpoint),
        ],
    ] = Field(default_factory=dict)
    """The real servers by name."""

    def forward_of(self, backend: BackendConfig) -> Forward:
        """Tell how packets reach *backend*."""
        return backend.forward or self.forward

    def hold_of(self, backend: BackendConfig) -> HoldConfig | None:
        """Tell how a connection to *backend* is held, None where none is."""
        hold = backend.hold if backend.hold is not None else self.hold
        return hold if hold is not None and hold.enabled else None

    def checks_of(self, backend: BackendConfig) -> tuple[CheckConfig, ...]:
        """List the checks of *backend*: its own, its service's, or a connect for TCP."""
        chosen = backend.check if backend.check is not None else self.check
        if chosen is None:
            default = self.protocol == "tcp" and self.fwmark is None and not self.assume_up
            return (CheckConfig.model_validate("tcp"),) if default else ()
        return chosen if isinstance(chosen, tuple) else (chosen,)

    def require_of(self, backend: BackendConfig) -> Require:
        """Tell which of the checks of *backend* must pass; of a single one it is all."""
        chosen = backend.require or self.require
        return chosen if len(self.checks_of(backend)) > 1 else "all"

    def slow_start_of(self, backend: BackendConfig) -> float:
        """Tell how long *backend* takes to its whole weight, in seconds."""
        return self.slow_start if backend.slow_start is None else backend.slow_start
