"""From the config's tracked objects to what is looked at, and back."""

from typing import Any

import pytest

from libra_schemas.config import Track
from libra_schemas.events import FreshState, ServiceState
from libra_vrrp.contribution import NOTHING, Contribution
from libra_vrrp.settle import AT_ONCE, Delays
from libra_vrrp.watched import (
    FileWatch,
    Judged,
    Number,
    ProcessWatch,
    ProgramWatch,
    Seen,
    Verdict,
    Watch,
    seen,
    watches,
)

PING = ("/usr/bin/ping", "-c1", "10.0.0.1")
GW = ProgramWatch(PING, every=2.0, timeout=1.0, rise=2, fall=3)
HAND = FileWatch("/run/hand", every=1.0)
HAPROXY = ProcessWatch("haproxy")


def track(**written: Any) -> Track:
    return Track.model_validate(written)


def state(**changed: Any) -> ServiceState:
    known = {"service": "web", "up": False, "live_weight": 0, "quorum": 1}
    counts = {"hysteresis": 0, "eligible": 0, "backends": 1}
    return ServiceState.model_validate(known | counts | changed)


def test_who_tracks_the_same_looks_once() -> None:
    one = track(
        programs={"gw": {"command": PING, "weight": -20}},
        files={"hand": {"path": "/run/hand"}},
        processes={"haproxy": {}},
    )
    other = track(
        programs={"gateway": {"command": PING}, "slow": {"command": PING, "every": "5s"}},
        files={"priority": {"path": "/run/hand", "weight": 2, "up_for": "9s"}},
        processes={"proxy": {"name": "haproxy", "quorum": 2}},
    )
    slow = ProgramWatch(PING, every=5.0, timeout=1.0, rise=2, fall=3)
    assert watches([one, other]) == {GW, slow, HAND, HAPROXY}


@pytest.mark.parametrize(
    ("written", "verdict", "contribution"),
    [
        pytest.param({}, None, None, id="not known yet"),
        pytest.param({}, Judged(up=True), NOTHING, id="it succeeds"),
        pytest.param(
            {}, Judged(up=False, why="exit status 1"),
            Contribution(None, "program gw: exit status 1"), id="it fails: a fault",
        ),
        pytest.param(
            {"weight": -40}, Judged(up=False, why="exit status 1"),
            Contribution(-40, "program gw: exit status 1"), id="it fails: a weight",
        ),
        pytest.param(
            {"weight": 10}, Judged(up=True), Contribution(10, "program gw succeeds"),
            id="it succeeds: a weight above 0",
        ),
    ],
)  # fmt: skip
def test_a_program_counts_as_it_says(
    written: dict[str, Any], verdict: Judged | None, contribution: Contribution | None
) -> None:
    wanted = track(programs={"gw": {"command": PING, **written}})
    verdicts: dict[Watch, Verdict] = {} if verdict is None else {GW: verdict}
    assert seen(wanted, verdicts, {}) == (Seen("program.gw", contribution),)


@pytest.mark.parametrize(
    ("verdict", "contribution"),
    [
        pytest.param(None, None, id="not known yet"),
        pytest.param(Number(0), NOTHING, id="0"),
        pytest.param(Number(-7), Contribution(-14, "file hand says -7"), id="a number"),
    ],
)
def test_a_file_counts_as_much_as_it_says(
    verdict: Number | None, contribution: Contribution | None
) -> None:
    wanted = track(files={"hand": {"path": "/run/hand", "weight": 2, "down_for": "1s"}})
    verdicts: dict[Watch, Verdict] = {} if verdict is None else {HAND: verdict}
    assert seen(wanted, verdicts, {}) == (Seen("file.hand", contribution, Delays(1.0, 0.0)),)


@pytest.mark.parametrize(
    ("verdict", "contribution"),
    [
        pytest.param(None, None, id="not known yet"),
        pytest.param(Number(2), NOTHING, id="enough"),
        pytest.param(
            Number(1), Contribution(None, "process haproxy: 1 of 2 running"), id="too few"
        ),
    ],
)
def test_processes_count_by_their_number(
    verdict: Number | None, contribution: Contribution | None
) -> None:
    wanted = track(processes={"proxy": {"name": "haproxy", "quorum": 2, "up_for": "3s"}})
    verdicts: dict[Watch, Verdict] = {} if verdict is None else {HAPROXY: verdict}
    assert seen(wanted, verdicts, {}) == (Seen("process.proxy", contribution, Delays(0.0, 3.0)),)


@pytest.mark.parametrize(
    ("known", "contribution"),
    [
        pytest.param({}, None, id="nothing is known of it yet"),
        pytest.param({"web": state()}, Contribution(-30, "service web is down"), id="down"),
        pytest.param({"web": state(sorry=True)}, NOTHING, id="the sorry server serves"),
        pytest.param({"web": state(up=True)}, NOTHING, id="up"),
    ],
)
def test_a_service_counts_while_nobody_serves(
    known: dict[str, ServiceState], contribution: Contribution | None
) -> None:
    wanted = track(services={"web": {"weight": -30}})
    assert seen(wanted, {}, known) == (Seen("service.web", contribution, AT_ONCE),)


@pytest.mark.parametrize(
    ("coverage", "weight", "contribution"),
    [
        pytest.param(None, -30, None, id="nobody has said yet"),
        pytest.param(0.9, -30, NOTHING, id="enough"),
        pytest.param(
            0.899, -30, Contribution(-30, "89.9% of the peer's connections are here"), id="too few"
        ),
        pytest.param(
            0.0, "fault", Contribution(None, "0.0% of the peer's connections are here"), id="fault"
        ),
        pytest.param(
            1.0, 30, Contribution(30, "100.0% of the peer's connections are here"), id="a reward"
        ),
    ],
)
def test_the_copy_of_the_connections_counts_by_its_share(
    coverage: float | None, weight: int | str, contribution: Contribution | None
) -> None:
    wanted = track(sync={"weight": weight, "down_for": "3s"})
    fresh = None if coverage is None else FreshState(own=1, peer=2, coverage=coverage)
    assert seen(wanted, {}, {}, fresh) == (Seen("sync", contribution, Delays(3.0, 0.0)),)


def test_interfaces_are_the_machines() -> None:
    assert seen(track(interfaces=["eth1"]), {}, {}) == ()
