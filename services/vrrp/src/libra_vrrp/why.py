"""Why a virtual router entered a state, one word each.

One rule: a word is what the machine decided by; what it means to people is said by `facts`.
"""

from enum import StrEnum


class Why(StrEnum):
    """Why a state was entered."""

    STARTED = "started"
    OWNER = "owner"
    ADOPTED = "adopted"
    TIMER = "timer"
    PRIORITY_ZERO = "priority_zero"
    TETHER = "tether"
    UNCLAIMED = "unclaimed"
    LOWER_PRIORITY_HEARD = "lower_priority_heard"
    SYNCED = "synced"
    OVERDUE = "overdue"
    HOLD_OVER = "hold_over"
    HIGHER_PRIORITY = "higher_priority"
    FAULT = "fault"
    TRACKED = "tracked"
    RECOVERED = "recovered"
    LEASE = "lease"
    OPERATOR = "operator"
    GROUP = "group"
    SHUTDOWN = "shutdown"
