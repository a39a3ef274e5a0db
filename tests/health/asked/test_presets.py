from typing import get_args

import pytest

from libra_health.asked.presets import PRESETS
from libra_health.checks.tcp import start, step
from libra_health.outcome import Passed
from libra_health.protocols.greetings import READERS, ldap
from libra_health.wire import Connected, Receive, Received, Send, Target
from libra_schemas.config.kinds.tcp import Preset

TARGET = Target("192.0.2.1", 3306)


def test_every_preset_of_the_config_is_here() -> None:
    assert set(PRESETS) == set(get_args(Preset))


@pytest.mark.parametrize("name", PRESETS)
def test_every_step_waits_for_something_that_can_be_read(name: str) -> None:
    assert all(each.reader in READERS for each in PRESETS[name].exchanges)


def test_a_bind_is_made_of_whole_elements() -> None:
    bind = PRESETS["ldap"].exchanges[0].send
    assert bind == bytes.fromhex("300c020101600702010304008000")
    assert ldap(bind.replace(b"\x60", b"\x61")) is not None  # read to its end, only of another kind


def test_mysql_is_logged_in_to_and_left() -> None:
    state, _ = start(TARGET, PRESETS["mysql"], 10.0)
    state, _ = step(state, Connected(), 10.0)
    handshake = bytes.fromhex("0900 0000") + b"\x0a11.4.2\0\0"
    state, effects = step(state, Received(handshake), 10.1)
    login = bytes.fromhex("27000001 01820000 00001000 21") + bytes(23) + b"libra\0\0"
    assert effects == (Send(login), Receive())
    let_in = bytes.fromhex("0700 0002 0000 0002 0000 00")
    state, effects = step(state, Received(let_in), 10.2)
    assert effects == (Send(b"\x01\0\0\0\x01"), Receive())
    outcome = step(state, Received(b"x"), 10.3)[1]
    assert isinstance(outcome, Passed)
    assert outcome.latency == pytest.approx(0.2)
