import pytest
from pydantic import ValidationError

from libra_schemas.config.track import Track, TrackedProgram, TrackedSync

PING = ["/usr/bin/ping", "-c1", "10.0.0.1"]


def test_what_nobody_wrote_is_a_fault_and_counts_at_once() -> None:
    track = Track.model_validate({"processes": {"haproxy": {}}, "files": {"x": {"path": "/x"}}})
    (haproxy,), (file,) = track.processes.values(), track.files.values()
    assert (haproxy.weight, haproxy.quorum, haproxy.name) == (None, 1, None)
    assert (haproxy.down_for, haproxy.up_for) == (0, 0)
    assert (file.weight, file.every) == (None, 1)


def test_a_service_always_has_a_weight() -> None:
    track = Track.model_validate({"services": {"web": {}}})
    assert track.services["web"].weight == -20


def test_the_copy_of_the_connections_has_a_weight_unless_a_fault_is_written() -> None:
    assert Track.model_validate({}).sync is None
    plain, fault = TrackedSync(), TrackedSync.model_validate({"weight": "fault"})
    assert (plain.delta, plain.coverage) == (-20, 90)
    assert fault.delta is None


@pytest.mark.parametrize(
    "written",
    [
        {"weight": 0}, {"weight": "faulty"}, {"weight": None}, {"coverage": 0}, {"coverage": 101},
        {"coverage": 0.9}, {"coverage": "90%"}, {"share": 90},
    ],
)  # fmt: skip
def test_a_copy_of_the_connections_that_makes_no_sense_is_refused(
    written: dict[str, object],
) -> None:
    with pytest.raises(ValidationError):
        TrackedSync.model_validate(written)


@pytest.mark.parametrize(
    ("written", "timeout"),
    [
        pytest.param({}, 1.0, id="as it is"),
        pytest.param({"every": "500ms"}, 0.5, id="no longer than every"),
        pytest.param({"every": "10s"}, 1.0, id="every is long"),
        pytest.param({"every": "10s", "timeout": "5s"}, 5.0, id="as written"),
    ],
)
def test_a_timeout_that_nobody_wrote_fits(written: dict[str, object], timeout: float) -> None:
    assert TrackedProgram.model_validate({"command": PING, **written}).timeout == timeout


@pytest.mark.parametrize("written", [{"command": PING, "every": "soon"}, 5])
def test_what_makes_no_sense_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"expected|valid"):
        TrackedProgram.model_validate(written)
