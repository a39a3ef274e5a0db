"""Services and their backends: `services: {web: {address: 192.0.2.10:80, ...}}`."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from libra_schemas.config.check import CheckConfig
from libra_schemas.config.fields import Duration, Endpoint
from libra_schemas.model import Name, Strict, Weight

SCHEDULERS = (
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos",
)  # fmt: skip
FLAGS = ("flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback", "mh-port", "mh-fallback")

Forward = Literal["nat", "dr", "tun"]
Threshold = Annotated[int, Field(ge=0, le=0xFFFFFFFF)]


def _from_address(value: object) -> object:
    return {"address": value} if isinstance(value, str) else value


class BackendConfig(Strict):
    """One real server; what it does not say its service says."""

    address: Endpoint
    weight: Weight = 1
    forward: Forward | None = None
    upper: Threshold = 0
    lower: Threshold = 0
    check: CheckConfig | tuple[CheckConfig, ...] | None = None


class SorryConfig(Strict):
    """Who answers while the service has no quorum."""

    address: Endpoint
    forward: Forward | None = None


class ServiceConfig(Strict):
    """One virtual service: an address and port, or a firewall mark, and the pool behind it."""

    address: Endpoint | None = None
    fwmark: Annotated[int, Field(ge=1, le=0xFFFFFFFF)] | None = None
    family: Literal["ipv4", "ipv6"] = "ipv4"
    """Only for fwmark."""
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"
    scheduler: Literal[SCHEDULERS] = "wlc"  # type: ignore[valid-type]  # one list, also used by docs
    flags: tuple[Literal[FLAGS], ...] = ()  # type: ignore[valid-type]  # likewise
    forward: Forward = "nat"
    persistence: Duration = 0.0
    persistence_prefix: Annotated[int, Field(ge=1, le=128)] | None = None
    one_packet: bool = False
    quorum: Annotated[int, Field(ge=1)] = 1
    hysteresis: Annotated[int, Field(ge=0)] = 0
    sorry: (
        Annotated[
            SorryConfig, BeforeValidator(_from_address, json_schema_input_type=SorryConfig | str)
        ]
        | None
    ) = None
    on_failure: Literal["remove", "quiesce"] = "remove"
    on_stop: Literal["keep", "remove"] = "keep"
    """What becomes of the kernel's entries when LibrA is stopped in order."""
    assume_up: bool = False
    check: CheckConfig | tuple[CheckConfig, ...] | None = None
    backends: dict[
        Name,
        Annotated[
            BackendConfig,
            BeforeValidator(_from_address, json_schema_input_type=BackendConfig | str),
        ],
    ] = Field(default_factory=dict)

    def forward_of(self, backend: BackendConfig) -> Forward:
        """Tell how packets reach *backend*."""
        return backend.forward or self.forward

    def checks_of(self, backend: BackendConfig) -> tuple[CheckConfig, ...]:
        """List the checks of *backend*: its own, its service's, or a connect for TCP."""
        chosen = backend.check if backend.check is not None else self.check
        if chosen is None:
            default = self.protocol == "tcp" and self.fwmark is None and not self.assume_up
            return (CheckConfig.model_validate("tcp"),) if default else ()
        return chosen if isinstance(chosen, tuple) else (chosen,)
