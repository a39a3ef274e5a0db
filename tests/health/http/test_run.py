from dataclasses import replace

from libra_health.http.request import Request
from libra_health.http.run import Ask, HttpSpec, Stage, Turn, begun
from libra_health.wire import Target

TARGET = Target("192.0.2.1", 80)
ONE, TWO = Ask(Request("h", "/a")), Ask(Request("h", "/b"))


def test_a_run_begins_with_files_where_there_are_any() -> None:
    assert begun(TARGET, HttpSpec((ONE,)), 1.0).stage is Stage.CONNECTION
    assert begun(TARGET, HttpSpec((ONE,), secrets=(("A", "/a"),)), 1.0).stage is Stage.FILES


def test_a_connection_is_kept_for_what_follows_alone() -> None:
    first = begun(TARGET, HttpSpec((ONE, TWO), keeps=True), 1.0)
    last = replace(first, turn=Turn(1, TWO))
    assert (first.is_last, first.keeps) == (False, True)
    assert (last.is_last, last.keeps) == (True, False)


def test_a_request_is_named_where_there_are_several() -> None:
    assert begun(TARGET, HttpSpec((ONE,)), 1.0).name == ""
    assert begun(TARGET, HttpSpec((ONE, TWO)), 1.0).name == "GET /a: "
    only = begun(TARGET, HttpSpec((ONE,)), 1.0)
    assert replace(only, turn=Turn(0, TWO, hops=1)).name == "GET /b: "


def test_no_secret_is_shown() -> None:
    state = begun(TARGET, HttpSpec((ONE,)), 1.0)
    known = replace(state, run=replace(state.run, secrets=(("A", b"s3cret"),)))
    assert known.shown(b"A: s3cret\n", 100) == r"A: ***\n"


def test_the_name_of_a_request_shows_no_secret() -> None:
    state = begun(TARGET, HttpSpec((ONE,)), 1.0)
    run = replace(state.run, secrets=(("A", b"Bearer tok-123"),))
    led = Turn(0, Ask(Request("h", "/" + "x" * 94 + "?tok-123")), hops=1)
    assert replace(state, run=run, turn=led).name == f"GET /{'x' * 94}?***: "
