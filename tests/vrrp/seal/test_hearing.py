"""Freshness: who echoes our last challenges, and what becomes of everyone else."""

from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.seal.datagram import ECHOES, Inside, Session
from libra_vrrp.seal.hearing import FORGOTTEN, KEPT, Hearing, Stand, Verdict, echoes, issue, judge

OLD, NEW = Session(b"a" * 8, 7, bytes(16)), Session(b"a" * 8, 8, bytes(16))
OTHER = Session(b"b" * 8, 3, bytes(16))


def challenge(number: int) -> bytes:
    return number.to_bytes(8)


def asking(times: int, hearing: Hearing | None = None) -> Hearing:
    """Issue challenges 1, 2, ..."""
    hearing = hearing or Hearing()
    for _ in range(times):
        hearing = issue(hearing, challenge(hearing.issued + 1))
    return hearing


def hears(
    hearing: Hearing, session: Session, counter: int, echoed: int | None, highest: int = 0
) -> tuple[Hearing, Verdict]:
    """Judge a datagram that echoes one of our challenges, or none."""
    answers = () if echoed is None else (challenge(echoed),)
    inside = Inside(b"THEIRS%2d" % counter, answers)
    return judge(hearing, session, counter, inside, highest)


def test_one_that_echoes_us_is_fresh_and_proves_its_session_once() -> None:
    hearing, first = hears(asking(1), OLD, 0, 1)
    assert first == Verdict(Stand.FRESH, is_new=True, is_first_proof=True)
    _, second = hears(hearing, OLD, 1, 1)
    assert second == Verdict(Stand.FRESH, is_new=False, is_first_proof=False)


@given(st.integers(1, 20), st.integers(0, 20))
def test_only_the_last_five_challenges_are_good(asked: int, echoed: int) -> None:
    _, verdict = hears(asking(asked), OLD, 0, echoed)
    assert (verdict.stand is Stand.FRESH) == (asked - KEPT < echoed <= asked and echoed > 0)


def test_without_a_challenge_of_ours_nothing_is_fresh() -> None:
    assert hears(Hearing(), OLD, 0, 1)[1].stand is Stand.UNANSWERED


def test_a_repeated_datagram_is_a_replay_and_an_overtaken_one_is_late() -> None:
    hearing, _ = hears(asking(1), OLD, 5, 1)
    assert hears(hearing, OLD, 5, 1)[1].stand is Stand.REPLAYED
    hearing, verdict = hears(hearing, OLD, 4, 1)
    assert verdict.stand is Stand.LATE
    assert hears(hearing, OLD, 4, 1)[1].stand is Stand.REPLAYED


def test_a_datagram_that_was_under_way_for_too_long_is_stale() -> None:
    hearing, _ = hears(asking(1), OLD, 0, 1)
    assert hears(asking(4, hearing), OLD, 1, 1)[1].stand is Stand.FRESH
    assert hears(asking(5, hearing), OLD, 1, 1)[1].stand is Stand.STALE


def test_one_who_was_stopped_takes_nothing_for_stale() -> None:
    """Age is counted in challenges: none was issued meanwhile, whatever the clock did."""
    hearing, _ = hears(asking(3), OLD, 0, 3)
    assert hears(hearing, OLD, 1, 3)[1].stand is Stand.FRESH


def test_a_newcomer_has_time_to_answer_and_then_raises_suspicion() -> None:
    hearing, verdict = hears(asking(1), OLD, 0, None)
    assert verdict == Verdict(Stand.UNANSWERED, is_new=True, is_first_proof=False)
    assert hears(asking(KEPT - 1, hearing), OLD, 1, None)[1].stand is Stand.UNANSWERED
    assert hears(asking(KEPT, hearing), OLD, 1, None)[1].stand is Stand.UNPROVEN


def test_a_start_before_a_proven_one_is_a_replay_until_it_answers() -> None:
    hearing, verdict = hears(asking(1), OLD, 0, None, highest=8)
    assert verdict.stand is Stand.REPLAYED
    assert hears(hearing, OLD, 1, 1, highest=8)[1] == Verdict(
        Stand.FRESH, is_new=False, is_first_proof=True
    )


def test_a_proven_start_replaces_the_one_before_and_nobody_else() -> None:
    hearing = asking(1)
    for session in (OLD, OTHER, NEW):
        hearing, _ = hears(hearing, session, 0, 1)
    assert set(hearing.sessions) == {OTHER, NEW}


def test_a_session_on_trial_survives_the_proof_of_another() -> None:
    hearing, _ = hears(asking(1), OLD, 0, None)
    hearing, _ = hears(hearing, NEW, 0, 1)
    assert set(hearing.sessions) == {OLD, NEW}


def test_every_session_is_echoed_with_its_newest_challenge() -> None:
    hearing, _ = hears(asking(1), OLD, 1, None)
    hearing, _ = hears(hearing, OLD, 2, None)
    hearing, _ = hears(hearing, OTHER, 3, 1)
    assert echoes(hearing) == (b"THEIRS 2", b"THEIRS 3")
    hearing, _ = hears(hearing, OLD, 0, None)
    assert echoes(hearing)[-1] == b"THEIRS 2"


def test_a_silent_session_is_forgotten() -> None:
    hearing, _ = hears(asking(1), OLD, 0, 1)
    assert OLD in asking(FORGOTTEN - 1, hearing).sessions
    assert OLD not in asking(FORGOTTEN, hearing).sessions


def test_a_flood_of_old_starts_displaces_no_proven_session() -> None:
    hearing, _ = hears(asking(1), OTHER, 0, 1)
    for start in range(3 * ECHOES):
        hearing, _ = hears(hearing, Session(b"x" * 8, start, bytes(16)), 0, None)
    assert len(hearing.sessions) == ECHOES
    assert OTHER in hearing.sessions


def test_recordings_of_starts_that_are_over_displace_no_fresh_peer() -> None:
    hearing, _ = hears(asking(1), NEW, 0, None, highest=7)
    for salt in range(2 * ECHOES):
        recorded = Session(NEW.sender, 6, salt.to_bytes(16))
        hearing, _ = hears(hearing, recorded, 0, None, highest=7)
    assert len(hearing.sessions) == ECHOES
    assert hears(hearing, NEW, 1, 1, highest=7)[1] == Verdict(
        Stand.FRESH, is_new=False, is_first_proof=True
    )


def test_recordings_that_were_heard_before_the_proof_are_over_with_it() -> None:
    """They came first, while their start was the highest that was proven."""
    hearing = asking(1)
    hearing, _ = hears(hearing, OTHER, 0, None)
    for salt in range(ECHOES - 2):
        recorded = Session(OLD.sender, 7, salt.to_bytes(16))
        hearing, _ = hears(hearing, recorded, 0, None, highest=7)
    hearing, _ = hears(hearing, NEW, 0, 1, highest=7)
    hearing, _ = hears(hearing, Session(b"c" * 8, 1, bytes(16)), 0, None)
    assert {OTHER, NEW} < set(hearing.sessions)


def test_a_recording_finds_no_room_among_those_who_may_answer() -> None:
    hearing = asking(1)
    for number in range(ECHOES):
        hearing, _ = hears(hearing, Session(number.to_bytes(8), 1, bytes(16)), 0, None)
    before = set(hearing.sessions)
    hearing, _ = hears(hearing, OLD, 0, None, highest=8)
    assert set(hearing.sessions) == before
