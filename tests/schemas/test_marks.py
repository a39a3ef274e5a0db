"""Every backend that is checked through IPVS has a mark of its own, and keeps it."""

from typing import Any

import pytest

from libra_schemas.config import Config
from libra_schemas.marks import asked_through, is_marking, is_private, marks_of, name_of

THROUGH = {"tcp": {}, "data_path": True}


def config(*backends: str, **more: Any) -> Config:
    """Give a config of one service with these backends, checked through IPVS."""
    web = {
        "address": "192.0.2.10:80",
        "forward": "dr",
        "check": THROUGH,
        "backends": {
            name: f"10.0.{place // 250}.{place % 250 + 1}:80"
            for place, name in enumerate(backends, 1)
        },
    }
    services = {"web": web | more.pop("web", {}), **more.pop("services", {})}
    nodes = {"a": {"address": "10.0.0.100"}}
    return Config.model_validate({"version": 1, "nodes": nodes, "services": services, **more})


def test_only_backends_with_such_a_check_have_marks() -> None:
    own = {"w2": {"address": "10.0.0.2:80", "check": ["tcp", {"tcp": {}, "data_path": False}]}}
    made = config(web={"backends": {"w1": "10.0.0.1:80", **own}})
    assert list(asked_through(made)) == [("web", "w1")]
    assert list(asked_through(config("w1", web={"address": None, "fwmark": 7}))) == []


def test_marks_are_in_the_range_and_all_different() -> None:
    made = config(*(f"w{number}" for number in range(200)))
    marks = marks_of(made)
    assert len(set(marks.values())) == len(marks) == 200
    assert all(mark in made.ipvs.mark_range for mark in marks.values())


def test_a_mark_follows_from_the_names_alone() -> None:
    before = marks_of(config("w1"))
    other = {"mail": {"address": "192.0.2.10:25", "forward": "tun", "check": THROUGH,
                      "backends": {"w1": "10.0.0.9:25"}}}  # fmt: skip
    after = marks_of(config("w0", "w1", "w2", services=other, web={"address": "192.0.2.11:81"}))
    assert after["web", "w1"] == before["web", "w1"]
    assert len(after) == 4


def test_a_mark_that_the_config_uses_is_nobodys() -> None:
    (mark,) = marks_of(config("w1")).values()
    taken = {"marked": {"fwmark": mark, "assume_up": True}}
    assert marks_of(config("w1", services=taken))["web", "w1"] == mark + 1
    probed = {"by": {"address": "192.0.2.10:25", "backends": {"w1": "10.0.0.9:25"},
                     "check": {"tcp": {}, "fwmark": mark}}}  # fmt: skip
    assert marks_of(config("w1", services=probed))["web", "w1"] == mark + 1


def test_a_full_range_goes_round_and_then_is_full() -> None:
    several = [f"w{number}" for number in range(256)]
    marks = marks_of(config(*several, ipvs={"marks": "0x100/24"}))
    assert sorted(marks.values()) == list(range(0x100, 0x200))
    with pytest.raises(ValueError, match="all marks of 0x00000100/24 are taken"):
        marks_of(config(*several, "one-more", ipvs={"marks": "0x100/24"}))


def test_the_names_of_private_services_are_told_from_those_of_the_config() -> None:
    assert name_of(0x4C00000A) == "path-4c00000a"
    assert is_private(name_of(1))
    assert not is_private("path-1")
    assert not is_private("path-to-nowhere")


@pytest.mark.parametrize(
    ("check", "expected"),
    [("tcp", False), (THROUGH, True), ({"tcp": {}, "fwmark": 7}, True), ("icmp", False)],
)
def test_it_is_told_whether_any_probe_bears_a_mark(check: object, *, expected: bool) -> None:
    assert is_marking(config("w1", web={"check": check})) is expected
