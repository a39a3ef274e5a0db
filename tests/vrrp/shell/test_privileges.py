"""Preparing an interface from a container goes through the directory that stands for /proc/sys."""

from pathlib import Path

import pytest

from libra_vrrp.shell.privileges import prepare_interface


def conf(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand *directory* for /proc/sys, with the settings of one interface."""
    monkeypatch.setenv("LIBRA_PROC_SYS", str(directory))
    path = directory / "net/ipv4/conf/eth9/promote_secondaries"
    path.parent.mkdir(parents=True)
    path.write_text("0")
    return path


def test_promote_secondaries_is_set_where_the_mount_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = conf(tmp_path, monkeypatch)
    assert prepare_interface("eth9")
    assert path.read_text() == "1"


def test_an_interface_that_cannot_be_prepared_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf(tmp_path, monkeypatch)
    assert not prepare_interface("eth8")
