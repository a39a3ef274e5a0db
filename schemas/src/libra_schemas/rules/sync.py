"""The connection sync daemon: a multicast group, thresholds the kernel takes."""

from collections.abc import Iterator

from libra_schemas.config import Config
from libra_schemas.places import Finding


def daemon(config: Config) -> Iterator[Finding]:
    """Check group and threshold (net/netfilter/ipvs/ip_vs_ctl.c)."""
    sync = config.sync
    if not sync.group.is_multicast:
        yield Finding(("sync", "group"), f"{sync.group} is no multicast group")
    threshold, period = sync.threshold
    if threshold < 0 or period < 0 or 0 < period <= threshold:
        message = "expected [threshold, period], both at least 0, threshold below a period"
        yield Finding(("sync", "threshold"), message, "[2, 0] carries every connection early")
