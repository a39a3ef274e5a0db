"""A service keeps of root's rights what its config asks for, and no more."""

import os
from pathlib import Path

import pytest

from libra_cli import identity
from libra_cli.identity import Identity, capabilities

HEALTH = Identity(64641, 64640)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be root where every group may ping; give the file that says so."""
    groups = tmp_path / "ping_group_range"
    groups.write_text("0\t2147483647\n")
    monkeypatch.setattr(identity, "PING_GROUPS", groups)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return groups


@pytest.mark.parametrize(("marks", "kept"), [(False, ()), (True, ("net_raw",))])
def test_health_may_mark_packets_where_the_config_asks_it_to(
    root: Path,  # noqa: ARG001 - it is in force
    *,
    marks: bool,
    kept: tuple[str, ...],
) -> None:
    assert capabilities("health", HEALTH, marks=marks) == kept
    assert capabilities("notifier", HEALTH, marks=marks) == ()
    assert capabilities("health", Identity(0, 0), marks=marks) == ()


def test_health_may_ping_where_its_group_may_not(root: Path) -> None:
    root.write_text("1\t0\n")
    assert capabilities("health", HEALTH) == ("net_raw",)
