from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

from libra_schemas.errors import ConfigError
from libra_schemas.keepalived import ABSENT
from libra_schemas.load import config_from
from libra_schemas.places import Path, Places, Position

PING = ["/usr/bin/ping", "-c1", "10.0.0.1"]

AS_IN = "(as in command: [/usr/bin/ping, -c1, 10.0.0.1])"


@pytest.mark.parametrize(
    ("track", "complaint"),
    [
        (
            {"programs": {"gw": {"command": PING, "every": "1s", "timeout": "2s"}}},
            "programs.gw.timeout: timeout 2s is longer than every 1s",
        ),
        (
            {"programs": {"gw": {"command": ["ping"]}}},
            "programs.gw.command: must be a whole path, one that begins with /",
        ),
        (
            {"programs": {"gw": {"command": []}}},
            f"programs.gw.command: needs at least 1 entry {AS_IN}",
        ),
        ({"programs": {"gw": {}}}, f"programs.gw.command: is missing {AS_IN}"),
        (
            {"programs": {"gw": {"command": PING, "every": "50ms"}}},
            "programs.gw.every: must be 100ms or longer",
        ),
        (
            {"programs": {"gw": {"command": ["/bin/x", "a\0b"]}}},
            "programs.gw.command[1]: holds a NUL byte",
        ),
        (
            {"programs": {"gw": {"command": PING, "weight": 0}}},
            "programs.gw.weight: 0 would change nothing (leave weight out to have a fault)",
        ),
        (
            {"programs": {"gw": {"command": PING, "weight": -254}}},
            "programs.gw.weight: expected a whole number from -253 to 253",
        ),
        (
            {"programs": {"gw": {"script": "/bin/x", "command": PING}}},
            (
                "programs.gw.script: unknown key 'script'"
                " (keepalived's script is here command: [FILE, ARGUMENTS])"
            ),
        ),
        (
            {"files": {"hand": {"path": "/run/x", "weight": 255}}},
            "files.hand.weight: expected a whole number from -254 to 254",
        ),
        (
            {"files": {"hand": {"path": "x"}}},
            "files.hand.path: must be a whole path, one that begins with /",
        ),
        (
            {"processes": {"web": {"name": "/usr/sbin/nginx"}}},
            (
                "processes.web.name: a process name has 1 to 255 characters and no slash:"
                " the file name of its program"
            ),
        ),
        (
            {"processes": {"web": {"quorum": 0}}},
            "processes.web.quorum: expected a whole number from 1 to 65535",
        ),
        (
            {"interfaces": ["eth1", {"name": "eth1", "weight": -5}]},
            "interfaces[1]: eth1 is tracked already",
        ),
        (
            {"interfaces": [5]},
            (
                "interfaces[0]: expected an interface such as eth1, or one such as {name: eth2,"
                " weight: -30}"
            ),
        ),
        ({"bfd": {"weight": -5}}, f"bfd: not in this release yet ({ABSENT['bfd']})"),
        (
            {"sync": {"weight": 0}},
            "sync.weight: expected a whole number from -253 to 253 but not 0, or fault",
        ),
        ({"sync": {"coverage": 0.9}}, "sync.coverage: expected a whole number from 1 to 100"),
        ({"sync": True}, "sync: expected a mapping of keys to values (as in sync: {coverage: 90})"),
    ],
)
def test_what_cannot_be_tracked_is_told(
    document: Document, complaints: Complain, track: dict[str, Any], complaint: str
) -> None:
    document["instances"]["front"]["track"] = track
    assert complaints(document) == [f"instances.front.track.{complaint}"]


def test_what_can_be_tracked_is_taken(document: Document, complaints: Complain) -> None:
    document["instances"]["front"]["track"] = {
        "interfaces": ["eth1", {"name": "eth2", "weight": -30, "up_for": "5s"}],
        "programs": {"gw": {"command": PING, "every": "1s", "timeout": "1s"}},
        "files": {"hand": {"path": "/run/priority", "weight": 1}},
        "processes": {"haproxy": {"quorum": 2, "down_for": "1s"}},
        "services": {"web": {"weight": -20}},
    }
    assert complaints(document) == []


BACK = {
    "interface": "eth1", "vrid": 52, "addresses": ["10.0.1.1/24", "2001:db8:1::1/64"], "vmac": True
}  # fmt: skip


@pytest.mark.parametrize(
    ("tracked", "name", "owner"),
    [
        pytest.param("vrrp4-51", "vrrp4-51", "front", id="its own"),
        pytest.param({"name": "vrrp4-51", "weight": -5}, "vrrp4-51", "front", id="with a weight"),
        pytest.param("vrrp6-52", "vrrp6-52", "back", id="of its group"),
    ],
)
def test_what_comes_up_with_the_master_alone_is_not_tracked_by_it(
    document: Document, complaints: Complain, tracked: Any, name: str, owner: str
) -> None:
    """It is down on a backup: a router that waits for it would never be anything else."""
    track = {"interfaces": ["eth0", tracked]}
    document["instances"]["front"] |= {"vmac": True, "group": "g", "track": track}
    document["instances"]["back"] = BACK | {"group": "g", "priority": {"a": 150, "b": 100}}
    assert complaints(document) == [
        (
            f"instances.front.track.interfaces[1]: {name} is the vmac of {owner}, which is up on "
            "its master alone (track the interface that it is on, or leave it out)"
        )
    ]


def test_the_virtual_mac_of_others_and_the_name_without_one_may_be_tracked(
    document: Document, complaints: Complain
) -> None:
    document["instances"]["front"] |= {"track": {"interfaces": ["vrrp4-51", "vrrp4-52"]}}
    document["instances"]["back"] = BACK
    assert complaints(document) == []
    document["instances"]["back"] |= {"group": "g"}
    assert complaints(document) == []


def test_a_tracked_virtual_mac_is_named_by_line_and_column(document: Document) -> None:
    document["instances"]["front"] |= {"vmac": True, "track": {"interfaces": ["vrrp4-51"]}}
    values: dict[Path, Position] = {("instances", "front", "track", "interfaces", 0): (9, 12)}
    with pytest.raises(ConfigError) as caught:
        config_from(document, Places("libra.yaml", {}, values))
    assert [(one.line, one.column) for one in caught.value.problems] == [(9, 12)]
