"""Sysctls in a container go through the directory that stands for /proc/sys."""

from pathlib import Path

import pytest

from libra_ipvs_writer.shell.sysctls import ensure, read

NAME = "net.ipv4.vs.expire_nodest_conn"


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIBRA_PROC_SYS", str(tmp_path))
    path = tmp_path / "net/ipv4/vs/expire_nodest_conn"
    path.parent.mkdir(parents=True)
    path.write_text("0\n")
    return path


def test_a_wrong_value_is_set_where_the_mount_is(setting: Path) -> None:
    assert ensure({NAME: "1"}) == []
    assert setting.read_text() == "1\n"


def test_a_value_that_cannot_be_set_is_named_with_the_line_that_mends_it(
    setting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_text", refuse)
    sentences = [str(wrong) for wrong in ensure({NAME: "1"})]
    assert sentences == [f"{NAME} is '0': run `sysctl -w {NAME}='1'` on the host."]
    assert read(NAME) == setting.read_text().strip()


def refuse(*_: object) -> int:
    """Fail as a read-only file system does."""
    raise OSError(30, "Read-only file system")


def test_a_dot_in_an_interfaces_name_is_a_slash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBRA_PROC_SYS", str(tmp_path))
    path = tmp_path / "net/ipv4/conf/eth0.100/accept_local"
    path.parent.mkdir(parents=True)
    path.write_text("1\n")
    assert read("net.ipv4.conf.eth0/100.accept_local") == "1"
