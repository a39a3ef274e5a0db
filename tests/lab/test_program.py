import os
from pathlib import Path

import pytest

from libra_lab.program import require_program


def test_a_name_that_is_nowhere_is_missing_also_behind_a_directory_that_is_closed(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with pytest.raises(FileNotFoundError, match="No such file or directory: 'nosuch'"):
        require_program("nosuch", {"PATH": f"{closed}:{tmp_path}"})


def test_what_is_on_the_path_or_a_path_itself_is_for_the_kernel_to_judge(tmp_path: Path) -> None:
    require_program("sh", {"PATH": os.defpath})
    require_program("sh", {})
    require_program(str(tmp_path / "nosuch"), {"PATH": ""})
