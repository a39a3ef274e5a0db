import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.exec import ExecSpec, Weighing, start, step
from libra_health.errands import Execute, Executed, Unexecuted
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.wire import Connected, DeadlineReached, Input, Target, Unasked

TARGET = Target("192.0.2.1", 80)
COMMAND = ("/usr/local/bin/check", "-v")


def end(event: Input, weight: Weighing = Weighing.NOTHING) -> Outcome:
    spec = ExecSpec(COMMAND, (("LANG", "C"),), "daemon", weight)
    state, effects = start(TARGET, spec, 1.0)
    errors = weight is not Weighing.STDOUT
    assert effects == (Execute(COMMAND, (("LANG", "C"),), "daemon", errors=errors),)
    outcome = step(state, event, 1.5)[1]
    assert not isinstance(outcome, tuple)
    return outcome


@pytest.mark.parametrize(
    ("status", "weight", "outcome"),
    [
        pytest.param(0, "", Passed(0.5), id="0 passes"),
        pytest.param(1, "", Failed(Reason.STATUS, "exit status 1", 0.5), id="1 fails"),
        pytest.param(2, "", Failed(Reason.STATUS, "exit status 2", 0.5), id="2 fails"),
        pytest.param(-11, "", Failed(Reason.STATUS, "killed by SIGSEGV", 0.5), id="signal"),
        pytest.param(0, "status", Passed(0.5), id="status: 0 leaves the weight"),
        pytest.param(1, "status", Failed(Reason.STATUS, "exit status 1", 0.5), id="status: 1"),
        pytest.param(2, "status", Passed(0.5, 0), id="status: 2 is a weight of 0"),
        pytest.param(255, "status", Passed(0.5, 253), id="status: 255 is one of 253"),
        pytest.param(
            -9, "status", Failed(Reason.STATUS, "killed by SIGKILL", 0.5), id="status: signal"
        ),
        pytest.param(3, "stdout", Failed(Reason.STATUS, "exit status 3", 0.5), id="stdout: fails"),
    ],
)
def test_the_exit_status_decides(status: int, weight: str, outcome: Outcome) -> None:
    assert end(Executed(status, b""), Weighing(weight)) == outcome


@pytest.mark.parametrize(
    ("output", "weight"),
    [(b"0", 0), (b"30\n", 30), (b" 007 \r\nand more\n", 7), (b"65535\n", 65535)],
)
def test_the_first_line_is_the_weight(output: bytes, weight: int) -> None:
    assert end(Executed(0, output), Weighing.STDOUT) == Passed(0.5, weight)


@pytest.mark.parametrize("output", [b"", b"\n5\n", b"65536", b"-1", b"5%", b"5 6", b"\xb2"])
def test_a_first_line_that_is_no_weight_fails(output: bytes) -> None:
    outcome = end(Executed(0, output), Weighing.STDOUT)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.MALFORMED
    assert outcome.detail.startswith("no whole number of 0 to 65535 on the first line: '")


def test_a_failure_tells_what_the_program_wrote() -> None:
    outcome = end(Executed(2, b"CRITICAL: \x1b[31mno answer\n"))
    assert outcome == Failed(Reason.STATUS, r"exit status 2: 'CRITICAL: \x1b[31mno answer\n'", 0.5)


def test_what_could_not_be_run_says_nothing_about_the_backend() -> None:
    assert end(Unexecuted("/x: No such file")) == Errored(Reason.LOCAL, "/x: No such file")


def test_a_program_that_does_not_end_is_too_late() -> None:
    assert end(DeadlineReached()) == Failed(Reason.TIMEOUT, "did not end in time", 0.5)


def test_what_it_never_asked_for_is_a_mistake_of_the_driver() -> None:
    with pytest.raises(Unasked, match="a check exec never asked for Connected"):
        end(Connected())


@given(st.integers(-64, 255), st.binary(max_size=5000), st.sampled_from(Weighing))
def test_whatever_a_program_does_there_is_an_outcome_of_bounded_size(
    status: int, output: bytes, weight: Weighing
) -> None:
    outcome = end(Executed(status, output), weight)
    assert isinstance(outcome, Passed | Failed)
    assert len(outcome.detail) < 512
    if isinstance(outcome, Passed):
        assert outcome.weight is None or 0 <= outcome.weight <= 65535
