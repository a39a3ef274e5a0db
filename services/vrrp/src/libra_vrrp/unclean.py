"""Whether the service before this one ended in order, and when the wait for that began.

Design §6, preemption. One rule: who left something to us ended in order, but what it had to wait
for counts on; a mark that nobody took away is of one that was killed, or whose host died.
"""

from libra_vrrp.bequest import NEVER, Bequest


def unclean_at(bequest: Bequest | None, now: float, *, is_marked: bool) -> float:
    """Return when the service began that follows an unclean exit; `NEVER` where none did.

    `now` is when we begin, in seconds of the monotonic clock. The first service of all finds
    neither.
    """
    if bequest is not None:
        return bequest.unclean_at
    return now if is_marked else NEVER
