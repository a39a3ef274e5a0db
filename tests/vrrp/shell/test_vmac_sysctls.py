"""The kernel's settings for a virtual MAC: set where LibrA may, told where it may not."""

from pathlib import Path

import pytest

from libra_vrrp.shell.vmac_sysctls import follow_parent, is_quiet, unfit_for_vmac

FOUR = {"arp_ignore": "0", "arp_announce": "0", "rp_filter": "0", "forwarding": "0"}


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand a directory for /proc/sys, with the settings of a parent and what it carries."""
    monkeypatch.setenv("LIBRA_PROC_SYS", str(tmp_path))
    for name in ("all", "eth0", "vrrp4-51"):
        for key, value in FOUR.items():
            write(tmp_path / "net/ipv4/conf" / name / key, value)
        write(tmp_path / "net/ipv6/conf" / name / "accept_ra", "1")
        write(tmp_path / "net/ipv6/conf" / name / "forwarding", "0")
        write(tmp_path / "net/ipv6/conf" / name / "addr_gen_mode", "0")
    return tmp_path / "net"


def write(setting: Path, value: str) -> None:
    setting.parent.mkdir(parents=True, exist_ok=True)
    setting.write_text(value)


def values(conf: Path, name: str) -> dict[str, str]:
    return {key: (conf / "ipv4/conf" / name / key).read_text() for key in FOUR}


def test_each_address_is_answered_for_where_it_is(conf: Path) -> None:
    assert unfit_for_vmac("vrrp4-51", "eth0", answers=True) == frozenset()
    both = {"arp_ignore": "1", "arp_announce": "2", "rp_filter": "0", "forwarding": "0"}
    assert values(conf, "vrrp4-51") == values(conf, "eth0") == both
    assert (conf / "ipv6/conf/vrrp4-51/accept_ra").read_text() == "0"
    assert (conf / "ipv6/conf/eth0/accept_ra").read_text() == "1"


def test_without_addresses_of_ipv4_the_parent_is_left_alone(conf: Path) -> None:
    assert unfit_for_vmac("vrrp4-51", "eth0", answers=False) == frozenset()
    assert values(conf, "eth0") == FOUR


def test_a_strict_filter_for_all_is_loosened_here(conf: Path) -> None:
    (conf / "ipv4/conf/all/rp_filter").write_text("1")
    assert unfit_for_vmac("vrrp4-51", "eth0", answers=True) == frozenset()
    assert values(conf, "vrrp4-51")["rp_filter"] == "2"


def test_what_cannot_be_set_is_told_with_what_mends_it(conf: Path) -> None:
    setting = conf / "ipv4/conf/eth0/arp_ignore"
    setting.unlink()
    setting.mkdir()
    word = "net.ipv4.conf.eth0.arp_ignore"
    assert unfit_for_vmac("vrrp4-51", "eth0", answers=True) == {
        f"{word} is 0: run `sysctl -w {word}=1` on the host"
    }


def test_what_a_setting_for_all_forbids_is_told_of_that_one(conf: Path) -> None:
    (conf / "ipv4/conf/all/arp_ignore").write_text("8")
    word = "net.ipv4.conf.all.arp_ignore"
    assert unfit_for_vmac("vrrp4-51", "eth0", answers=False) == {
        f"{word} is 8: run `sysctl -w {word}=1` on the host"
    }


def test_what_the_parent_forwards_is_forwarded(conf: Path) -> None:
    (conf / "ipv4/conf/eth0/forwarding").write_text("1")
    follow_parent("vrrp4-51", "eth0")
    assert values(conf, "vrrp4-51")["forwarding"] == "1"
    assert (conf / "ipv6/conf/vrrp4-51/forwarding").read_text() == "0"


def test_a_kernel_without_such_settings_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBRA_PROC_SYS", str(tmp_path))
    follow_parent("vrrp4-51", "eth0")
    assert unfit_for_vmac("vrrp4-51", "eth0", answers=True) == frozenset()


def test_the_kernel_makes_no_address_for_it_whoever_wants_one(conf: Path) -> None:
    setting = conf / "ipv6/conf/vrrp4-51/addr_gen_mode"
    for _ in range(2):
        assert not is_quiet("vrrp4-51")
        assert unfit_for_vmac("vrrp4-51", "eth0", answers=True) == frozenset()
        assert is_quiet("vrrp4-51")
        setting.write_text("2")
    assert (conf / "ipv6/conf/eth0/addr_gen_mode").read_text() == "0"
    setting.unlink()
    assert is_quiet("vrrp4-51")


def test_an_address_that_the_kernel_would_make_is_a_fault(conf: Path) -> None:
    (conf / "ipv6/conf/vrrp4-51/addr_gen_mode").unlink()
    (conf / "ipv6/conf/vrrp4-51/addr_gen_mode").symlink_to("/proc/sys/kernel/ostype")
    word = "net.ipv6.conf.vrrp4-51.addr_gen_mode"
    assert not is_quiet("vrrp4-51")
    (told,) = unfit_for_vmac("vrrp4-51", "eth0", answers=True)
    assert told.endswith(f"run `sysctl -w {word}=1` on the host")
