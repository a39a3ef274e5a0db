"""A thread that fails takes its process along, so that the guard starts another."""

import subprocess
import sys

import pytest

ASIDE = "from libra_vrrp.shell.aside import Aside as T; T().do(lambda: 1 // 0, lambda *_: None)"
ADDRESSES = """
from libra_vrrp.renewal import Remove
from libra_vrrp.shell import addresses
addresses.AddressThread._remove = lambda *_: 1 // 0
addresses.AddressThread().do(Remove(()))
"""


@pytest.mark.parametrize("program", [ASIDE, ADDRESSES], ids=["aside", "addresses"])
def test_an_exception_in_a_thread_ends_the_process_and_is_told(program: str) -> None:
    """Found by review: the thread died unseen, and nothing it does was done any more."""
    begun = "from libra_vrrp.shell.say import begin; begin()"
    forever = f"{begun}\n{program}\nimport threading; threading.Event().wait(20)"
    ended = subprocess.run(
        [sys.executable, "-c", forever], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    assert "a thread failed, the process ends" in ended.stderr
    assert "ZeroDivisionError" in ended.stderr
