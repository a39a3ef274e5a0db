"""Alarms are heard, but do not ring without end."""

from libra_vrrp.alarm import QUIET, SOURCES, Cause, Rung, Rungs, ring, ring_for


def test_the_first_alarm_rings_and_the_next_ones_are_counted() -> None:
    last = Rung()
    rung = []
    for now in (0.0, 1.0, 9.9, 10.0, 10.1, 30.0):
        last, times = ring(last, now)
        rung.append(times)
    assert rung == [1, 0, 0, 3, 0, 2]


FORGED, OTHER_KEY = (Cause("auth", reason, "192.0.2.9") for reason in ("forged", "key"))


def told(rungs: Rungs, *causes: Cause, now: float = 0.0) -> tuple[Rungs, list[int]]:
    """Return how many alarms were reported at each of the causes."""
    times = []
    for cause in causes:
        rungs, reported = ring_for(rungs, cause, now)
        times.append(reported)
    return rungs, times


def test_no_alarm_hides_behind_one_of_another_kind_reason_or_source() -> None:
    """Found by review: what an attacker did at will held back what else there was to tell."""
    causes = [
        FORGED,
        OTHER_KEY,
        Cause("replay", "forged", FORGED.source),
        Cause("auth", "forged", "192.0.2.8"),
        Cause("auth", "forged", None),
    ]
    rungs, times = told({}, *causes, *causes)
    assert times == [1] * 5 + [0] * 5
    assert told(rungs, *causes, now=QUIET)[1] == [2] * 5


def test_who_comes_from_ever_new_sources_shares_one_limit_and_hides_no_other_reason() -> None:
    many = [Cause("auth", "forged", f"10.0.0.{host}") for host in range(100)]
    rungs, times = told({}, *many)
    assert times == [1] * (SOURCES + 1) + [0] * (99 - SOURCES)
    rungs, times = told(rungs, OTHER_KEY, Cause("auth", "key", "192.0.2.1"))
    assert times == [1, 0]
    assert len(rungs) == SOURCES + 2
    assert told(rungs, many[-1], now=QUIET)[1] == [100 - SOURCES]


def test_a_source_that_is_quiet_for_long_makes_room() -> None:
    many = [Cause("auth", "forged", f"10.0.0.{host}") for host in range(SOURCES)]
    rungs, _ = told({}, *many)
    rungs, times = told(rungs, OTHER_KEY, now=2 * QUIET)
    assert (times, list(rungs)) == ([1], [OTHER_KEY])
