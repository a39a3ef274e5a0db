"""Whether the service before this one ended in order, and when the wait for that began.

Design §6, preemption. One rule: who left something to us ended in order, but what it had to wait
for counts on, and so it does for who starts again in place; a mark that nobody took away is of one
that was killed, or whose host died.
"""

from libra_vrrp.bequest import NEVER, Bequest


def unclean_at(
    bequest: Bequest | None, now: float, *, is_marked: bool, carried: float = NEVER
) -> float:
    """Return when the service began that follows an unclean exit; `NEVER` where none did.

    `now` is when we begin, in seconds of the monotonic clock, `carried` what this process knew
    before it started again in place. The first service of all finds none of it.
    """
    if bequest is not None:
        return bequest.unclean_at
    return now if is_marked else carried
