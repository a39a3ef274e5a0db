"""Reports that wait."""

from libra_vrrp.reports import AlarmRaised, Awake
from libra_vrrp.spool import Spool

ALARM = AlarmRaised("front", "checksum", None, "abcd", 3, 1000.0)


def test_a_report_waits_until_it_was_taken() -> None:
    spool = Spool("1-2").add(Awake()).add(ALARM)
    assert [one.number for one in spool.unsent()] == [1, 2]
    spool = spool.handed(2)
    assert spool.unsent() == ()
    assert [one.number for one in spool.rewind().unsent()] == [1, 2]
    assert [one.number for one in spool.taken("1-2", 1).rewind().unsent()] == [2]


def test_what_another_machine_said_is_not_taken_for_ours() -> None:
    spool = Spool("1-2").add(ALARM)
    assert spool.taken("9-9", 1) == spool


def test_a_full_spool_drops_the_oldest_and_counts_it() -> None:
    spool = Spool("1-2", limit=2)
    for _ in range(5):
        spool = spool.add(Awake())
    assert [one.number for one in spool.waiting] == [4, 5]
    assert spool.dropped == 3
