"""What the instances of a sync group track together."""

from typing import Any

import pytest

from libra_schemas.config import Config, Track, TrackedInterface
from libra_vrrp.together import together

PING = ["/usr/bin/ping", "-c1", "10.0.0.1"]
OTHER = ["/usr/bin/ping", "-c1", "10.0.0.9"]


def of_front(group: str | None = "nat", **tracks: Any) -> Track:
    """Return what front tracks, of the group `group`, beside back, of the group nat."""
    base = {"interface": "eth0", "priority": 100}
    instances = {
        name: {
            **base,
            "vrid": vrid,
            "addresses": [f"192.0.2.{vrid}/24"],
            "track": tracks.get(name, {}),
            "group": wanted,
        }
        for name, vrid, wanted in (("front", 51, group), ("back", 52, "nat"))
    }
    document = {"version": 1, "nodes": {"a": {"address": "10.0.0.1"}}, "instances": instances}
    return together(Config.model_validate(document), "front")


def program(**said: Any) -> dict[str, Any]:
    return {"programs": {"gw": {"command": PING, **said}}}


def test_what_moves_another_of_the_group_moves_us() -> None:
    back = {
        **program(weight=-40),
        "files": {"hand": {"path": "/run/x", "weight": 1}},
        "processes": {"haproxy": {"weight": -9}},
        "services": {"web": {}},
        "sync": {"weight": -7},
        "interfaces": [{"name": "eth1", "weight": -30}],
    }
    assert of_front(back=back) == Track.model_validate(back)


@pytest.mark.parametrize("group", ["other", None])
def test_what_moves_another_group_is_nothing_to_us(group: str | None) -> None:
    assert of_front(group, back=program(weight=-40)) == Track()


def test_a_fault_stays_with_who_tracks_it() -> None:
    back = {**program(), "interfaces": ["eth1", {"name": "eth2"}]}
    assert of_front(back=back) == Track()


@pytest.mark.parametrize(
    ("ours", "theirs", "weight"),
    [
        pytest.param({"weight": -10}, {"weight": -40}, -40, id="theirs is heavier"),
        pytest.param({"weight": -40}, {"weight": -10}, -40, id="ours is"),
        pytest.param({}, {"weight": -10}, None, id="a fault is heavier than any weight"),
    ],
)
def test_of_two_weights_the_heavier_counts(
    ours: dict[str, Any], theirs: dict[str, Any], weight: int | None
) -> None:
    track = of_front(front=program(**ours), back=program(**theirs))
    assert {name: one.weight for name, one in track.programs.items()} == {"gw": weight}
    link = {"name": "eth1"}
    track = of_front(
        front={"interfaces": [link | ours]}, back={"interfaces": [link | theirs, "eth9"]}
    )
    (tracked,) = track.interfaces
    assert isinstance(tracked, TrackedInterface)
    assert tracked.weight == weight


def test_an_interface_that_is_a_fault_for_us_stays_one() -> None:
    back = {"interfaces": [{"name": "eth1", "weight": -30}]}
    assert of_front(front={"interfaces": ["eth1"]}, back=back).interfaces == ("eth1",)


def test_another_object_of_the_same_name_is_tracked_too() -> None:
    back = {"programs": {"gw": {"command": OTHER, "weight": -5}}}
    track = of_front(front=program(weight=-40), back=back)
    assert {name: one.weight for name, one in track.programs.items()} == {
        "gw": -40,
        "back-gw": -5,
    }


@pytest.mark.parametrize(
    ("ours", "theirs", "counts"),
    [
        pytest.param(None, {"weight": "fault"}, None, id="their fault is theirs"),
        pytest.param({"weight": "fault"}, {"weight": -9}, "ours", id="our fault stays"),
        pytest.param({"weight": -9}, {"weight": -40}, "theirs", id="theirs is heavier"),
        pytest.param({"weight": -40}, {"weight": -9}, "ours", id="ours is heavier"),
        pytest.param({"coverage": 50}, {"coverage": 80}, "theirs", id="theirs asks for more"),
        pytest.param({"down_for": "5s"}, {}, "theirs", id="theirs counts sooner"),
        pytest.param({"up_for": "5s"}, {}, "ours", id="ours counts longer"),
    ],
)
def test_of_two_that_track_the_connections_the_heavier_and_stricter_counts_for_both(
    ours: dict[str, Any] | None, theirs: dict[str, Any], counts: str | None
) -> None:
    front, back = {"sync": ours}, {"sync": theirs}
    wanted = {"ours": front, "theirs": back, None: {"sync": None}}[counts]
    assert of_front(front=front, back=back) == Track.model_validate(wanted)
