"""A key file is read only where nobody else may; a refusal says how to mend it, and no key."""

import os
from pathlib import Path

import pytest

from libra_schemas.seal_keys import dumps
from libra_vrrp.shell.key_file import Unusable, read_keys

KEY = bytes(range(32))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "seal.key"
    found.write_text(dumps((KEY,)))
    found.chmod(0o600)
    return found


def test_a_file_of_ours_alone_is_read(file: Path) -> None:
    assert read_keys(str(file)) == (KEY,)
    file.chmod(0o400)
    assert read_keys(str(file)) == (KEY,)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o620, 0o601])
def test_a_file_that_others_may_use_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(Unusable, match=f"chmod 600 {file}"):
        read_keys(str(file))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_user_is_refused(file: Path) -> None:
    os.chown(file, 65534, -1)
    with pytest.raises(Unusable, match=f"belongs to user 65534: chown root {file}"):
        read_keys(str(file))


def test_what_is_no_key_file_is_refused(file: Path, tmp_path: Path) -> None:
    file.write_text("hunter2")
    with pytest.raises(Unusable, match="line 1: expected") as refused:
        read_keys(str(file))
    assert "hunter2" not in str(refused.value)
    with pytest.raises(Unusable, match="none: No such file or directory: copy it from another"):
        read_keys(str(tmp_path / "none"))
    with pytest.raises(Unusable, match="is no regular file"):
        read_keys(str(tmp_path))


def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(Unusable, match="is no regular file"):
        read_keys(str(tmp_path / "pipe"))
