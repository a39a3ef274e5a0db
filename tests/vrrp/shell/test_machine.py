"""What the machine and its parent must never depend on."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("process", ["machine", "service"])
def test_the_process_imports_none_of_the_slow_world(process: str) -> None:
    program = f"import sys, libra_vrrp.shell.{process}; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert f"libra_vrrp.shell.{process}" in printed
    assert {"nats", "pydantic", "asyncio", "structlog", "pyroute2", "cryptography"}.isdisjoint(
        printed
    )
