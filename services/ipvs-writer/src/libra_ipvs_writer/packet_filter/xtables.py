"""Matches and targets of iptables (linux/netfilter/x_tables.h), in ip_tables and in nf_tables.

Rule: only what is known to leave packets alone is let go on; of matches, only those of connection
tracking's state and comments are understood.
"""

from functools import lru_cache
from struct import Struct

from libra_ipvs_writer.packet_filter.rules import Action, Condition, Tracked, Tracking, Unclear

COMMENT, CONNTRACK = "comment", "conntrack"
ONLY_STATE, ALIAS = 0x1, 0x2000
"""linux/netfilter/xt_conntrack.h: XT_CONNTRACK_STATE, as match flag and as invert flag;
XT_CONNTRACK_STATE_ALIAS: the rule was written with `-m state`."""
FLAGS_AT = 146
STATE_MASK = {1: Struct("=HHB"), 2: Struct("=HHH"), 3: Struct("=HHH")}
"""By revision of xt_conntrack_mtinfo: match_flags, invert_flags, state_mask."""
UNTRACKED = 1 << 8
STATES = {1: Tracking.INVALID, 2: Tracking.ESTABLISHED, 4: Tracking.RELATED, 8: Tracking.NEW,
          UNTRACKED: Tracking.UNTRACKED}  # fmt: skip

TARGETS = {"REJECT": Action.DROP} | dict.fromkeys(
    ("LOG", "NFLOG", "ULOG", "AUDIT", "TRACE", "MARK", "CONNMARK", "CONNSECMARK", "SECMARK",
     "CLASSIFY", "DSCP", "TOS", "ECN", "TTL", "HL", "TCPMSS", "TCPOPTSTRIP", "CHECKSUM", "SET",
     "RATEEST", "HMARK", "LED", "IDLETIMER", "TEE"),
    Action.GO_ON,
)  # fmt: skip


def condition(name: str, revision: int, info: bytes) -> Condition | None:
    """Read a match; None = it holds for every packet."""
    if name == COMMENT:
        return None
    if name == CONNTRACK and revision in STATE_MASK:
        return _tracked(revision, info)
    return Unclear()


def _tracked(revision: int, info: bytes) -> Condition:
    shape = STATE_MASK[revision]
    if len(info) < FLAGS_AT + shape.size:
        return Unclear()
    return _states(*shape.unpack_from(info, FLAGS_AT))


@lru_cache
def _states(flags: int, inverted: int, mask: int) -> Condition:
    if flags & ~ALIAS != ONLY_STATE or mask & ~sum(STATES):
        return Unclear()
    states = Tracking(0)
    for bit, state in STATES.items():
        states |= state if mask & bit else Tracking(0)
    return Tracked(states, bool(inverted & ONLY_STATE))


def action(name: str) -> Action:
    """Tell what a target other than the standard one does."""
    return TARGETS.get(name, Action.UNSURE)
