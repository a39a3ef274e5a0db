import os
from pathlib import Path

import pytest

from libra_lab import registers
from libra_lab.errors import LabUnavailable
from libra_lab.registers import COMPILERS, preloaded


@pytest.mark.parametrize("compiler", COMPILERS)
def test_what_is_preloaded_is_a_library_in_memory(
    monkeypatch: pytest.MonkeyPatch, compiler: str
) -> None:
    monkeypatch.setattr(registers, "COMPILERS", (compiler, *COMPILERS))
    descriptor = preloaded()
    try:
        assert os.pread(descriptor, 4, 0) == b"\x7fELF"
        assert b"ptrace\0" in os.pread(descriptor, 1 << 20, 0)
    finally:
        os.close(descriptor)


def test_a_machine_without_a_compiler_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabUnavailable, match="apt-get install tcc"):
        preloaded()


def test_a_source_that_does_not_compile_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.c"
    broken.write_text("no C\n")
    monkeypatch.setattr(registers, "SOURCE", broken)
    with pytest.raises(LabUnavailable, match=r"broken\.c"):
        preloaded()
