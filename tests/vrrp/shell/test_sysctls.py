"""Preparing an interface from a container goes through the directory that stands for /proc/sys."""

from pathlib import Path

import pytest

from libra_vrrp.shell.sysctls import is_forwarding, prepare_interface, unfit


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


NO_MOUNT = "/elsewhere/net is missing: mount the host's /proc/sys/net there"


def test_what_is_wrong_with_an_interface_is_told_with_what_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = conf(tmp_path, monkeypatch).parent
    (settings.with_name("eth0.100") / "promote_secondaries").mkdir(parents=True)
    word = "net.ipv4.conf.eth0/100.promote_secondaries"
    assert unfit("eth0.100", 4) == f"{word} is 0: run `sysctl -w {word}=1` on the host"
    missing = f"{settings.with_name('wg9')} is missing"
    assert unfit("wg9", 4) == f"{missing}: IPv4 is off on wg9, give it an MTU of 68 or more"
    assert unfit("eth9", 4) is None
    monkeypatch.setenv("LIBRA_PROC_SYS", str(tmp_path / "elsewhere"))
    assert unfit("eth9", 4) == f"{tmp_path}{NO_MOUNT}"


def test_an_interface_without_ipv6_is_told_with_what_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ipv4 = conf(tmp_path, monkeypatch).parents[1]
    ipv6 = tmp_path / "net/ipv6/conf"
    assert unfit("eth9", 6) == f"{ipv6} is missing: this kernel has no IPv6"
    setting = ipv6 / "eth9/disable_ipv6"
    setting.parent.mkdir(parents=True)
    setting.write_text("1\n")
    word = "net.ipv6.conf.eth9.disable_ipv6"
    assert unfit("eth9", 6) == f"{word} is 1: run `sysctl -w {word}=0` on the host"
    setting.write_text("0\n")
    assert unfit("eth9", 6) is None
    why = "IPv6 is off on wg9, give it an MTU of 1280 or more"
    assert unfit("wg9", 6) == f"{ipv6 / 'wg9'} is missing: {why}"
    assert (ipv4 / "eth9/promote_secondaries").read_text() == "0"
    monkeypatch.setenv("LIBRA_PROC_SYS", str(tmp_path / "elsewhere"))
    assert unfit("eth9", 6) == f"{tmp_path}{NO_MOUNT}"


def test_a_host_forwards_ipv6_as_its_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBRA_PROC_SYS", str(tmp_path))
    setting = tmp_path / "net/ipv6/conf/eth9/forwarding"
    assert not is_forwarding("eth9")
    setting.parent.mkdir(parents=True)
    for written, forwards in (("0\n", False), ("1\n", True), ("2\n", True)):
        setting.write_text(written)
        assert is_forwarding("eth9") == forwards
