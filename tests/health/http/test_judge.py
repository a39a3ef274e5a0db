from dataclasses import replace

from libra_health.http.expectations import Contains, Digest, Expectation, Matches
from libra_health.http.judge import judge, searched
from libra_health.http.request import Request
from libra_health.http.response import Reading
from libra_health.http.run import Ask, HttpSpec, HttpState, begun
from libra_health.outcome import Errored, Failed, Reason
from libra_health.wire import Search, Searched, Target


def state(*wanted: Expectation, body: bytes = b"hello", is_cut: bool = False) -> HttpState:
    spec = HttpSpec((Ask(Request("h"), body=wanted),), 5)
    reading = Reading(body=body, is_complete=True, is_cut=is_cut)
    return replace(begun(Target("192.0.2.1", 80), spec, 1.0), reading=reading)


def test_a_body_with_all_that_is_wanted_is_accepted() -> None:
    assert judge(state(), 1.5) is None
    assert judge(state(Contains(b"he"), Matches("o$")), 1.5) is None


def test_what_is_missing_first_is_told() -> None:
    found = judge(state(Contains(b"he"), Contains(b"x"), Contains(b"y")), 1.5)
    assert found == Failed(Reason.CONTENT, "'x' not in body 'hello'", 0.5)


def test_a_digest_needs_the_whole_body() -> None:
    found = judge(state(Digest("md5", "0" * 32), is_cut=True), 1.5)
    assert found == Failed(Reason.OVERSIZED, "body of more than 5 bytes (max_body)", 0.5)


def test_a_costly_pattern_is_handed_out_and_judging_goes_on_after_it() -> None:
    asked = state(Contains(b"he"), Matches("(l+)+o"), Contains(b"x"))
    assert judge(asked, 1.5) == (1, Search("(l+)+o", b"hello"))
    waiting = replace(asked, met=1)
    absent = searched(waiting, Searched(found=False), 1.5)
    assert absent == Failed(Reason.CONTENT, "/(l+)+o/ not in body 'hello'", 0.5)
    after = searched(waiting, Searched(found=True), 1.5)
    assert after == Failed(Reason.CONTENT, "'x' not in body 'hello'", 0.5)
    assert isinstance(searched(waiting, Searched(None, tried=False), 1.5), Errored)
