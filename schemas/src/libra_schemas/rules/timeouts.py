"""The timeouts of the kernel's connections: what `ipvsadm --set` takes."""

from collections.abc import Iterator

from libra_schemas.config import Config
from libra_schemas.places import Finding
from libra_schemas.rules.services import LONGEST


def whole(config: Config) -> Iterator[Finding]:
    """Check that a timeout is 1 s to 24 days (net/netfilter/ipvs/ip_vs_ctl.c; 0 changes none)."""
    for name, seconds in config.ipvs.timeouts.model_dump().items():
        if seconds is not None and not (1 <= seconds <= LONGEST and seconds == int(seconds)):
            yield Finding(
                ("ipvs", "timeouts", name),
                "expected whole seconds, 24 days at most",
                "leave it out to keep the kernel's",
            )
