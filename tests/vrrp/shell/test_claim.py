"""What the machine logs of a stranger who has its name."""

import json
import os
import socket
from uuid import uuid4

import pytest

from libra_vrrp.shell.claim import Claim


def test_a_stranger_who_holds_the_name_is_a_warning_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    claim = Claim(f"\0libra-vrrp-test-{uuid4()}", {os.geteuid() + 1})
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as holder:
        holder.bind(claim.name)
        holder.listen()
        claim.take()
        claim.take()
    [line] = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["level"], said["pid"], said["uid"]) == ("warning", os.getpid(), os.geteuid())
    assert said["why"] == (
        "a process that is no libra-vrrp listens there without being root "
        "(`ss -xap | grep @libra-vrrp`)"
    )
    claim.close()


def test_the_name_is_the_programs() -> None:
    assert Claim().name == "\0libra-vrrp"
