"""When a log that a full disk closed may be opened again, and what says so in a container."""

import json
import re
import stat
from pathlib import Path

import pytest

from libra_cli import room
from libra_cli.prepare import HEALTH
from libra_cli.room import ROOM, has_room, is_closed
from libra_cli.testing import Host


@pytest.mark.parametrize(
    ("data", "closed"),
    [
        pytest.param({"status": "ok"}, False, id="well"),
        pytest.param(
            {"status": "unavailable", "error": "JetStream not enabled (10076)"}, True, id="off"
        ),
        pytest.param(
            {
                "status": "unavailable",
                "error": "JetStream stream 'LIBRA > LOG' write error: write 1.blk: "
                "no space left on device",
            },
            True,
            id="a stream that keeps its error",
        ),
        pytest.param(
            {"status": "unavailable", "error": "JetStream stream 'LIBRA > LOG' write error: EIO"},
            False,
            id="a disk that is broken",
        ),
        pytest.param(
            {"error": "JetStream stream 'LIBRA > LOG' could not be recovered"},
            False,
            id="a stream that is not there yet",
        ),
        pytest.param({"error": "nats server not ready for connections"}, False, id="starting"),
    ],
)
def test_only_a_log_that_a_full_disk_closed_is_closed(data: dict[str, str], closed: bool) -> None:
    assert is_closed(json.dumps({"server": {}, "data": data}).encode()) is closed


def test_a_disk_has_room_for_two_of_the_largest_events_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert has_room(tmp_path)
    assert not has_room(tmp_path / "gone")
    monkeypatch.setattr(room, "ROOM", 1 << 62)
    assert not has_room(tmp_path)


def test_a_container_asks_for_as_much_room_and_looks_for_the_same_signs() -> None:
    script = HEALTH.read_text()
    assert re.findall(r"^room=(\d+) # KiB", script, re.MULTILINE) == [str(ROOM // 1024)]
    (signs,) = re.findall(r"(?m)^(.+)\) ;;$", script.partition("# wget shows")[2])
    assert signs.split(" | ") == [f'*"{sign}"*' for sign in room.SIGNS]


def test_init_lays_the_health_check_beside_the_config_where_there_is_monitoring(
    host: Host,
) -> None:
    check = host.site.state / HEALTH.name
    assert host.libra("init", "--stage", "files").returncode == 0
    assert not check.exists()
    assert host.libra("init", "--stage", "files", "--monitor", "8222").returncode == 0
    assert check.read_bytes() == HEALTH.read_bytes()
    assert stat.S_IMODE(check.stat().st_mode) == 0o644
