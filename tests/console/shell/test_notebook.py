from pathlib import Path

from libra_console.shell.notebook import Notebook


def test_what_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    assert Notebook(tmp_path).of("/etc/libra.yaml") is None
