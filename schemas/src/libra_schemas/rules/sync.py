"""The connection sync daemon: a multicast group, thresholds the kernel takes."""

from collections.abc import Iterator

from libra_schemas.config import Config
from libra_schemas.places import Finding
from libra_schemas.rules.naming import Names, unknown


def daemon(config: Config, names: Names) -> Iterator[Finding]:
    """Check group, interfaces and threshold (net/netfilter/ipvs/ip_vs_ctl.c)."""
    sync = config.sync
    if not sync.group.is_multicast:
        yield Finding(("sync", "group"), f"{sync.group} is no multicast group")
    for node in sync.interface if isinstance(sync.interface, dict) else ():
        yield from unknown(("sync", "interface", node), node, names.nodes, "node", on_key=True)
    threshold, period = sync.threshold
    if threshold < 0 or period < 0 or 0 < period <= threshold:
        message = "expected [threshold, period], both at least 0, threshold below a period"
        yield Finding(("sync", "threshold"), message, "[2, 0] carries every connection early")
