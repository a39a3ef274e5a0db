from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

HEX_TOO = "expect_hex: expect is given already (leave out expect or expect_hex)"
STEPS = [{"expect": "^220 "}, {"send": "QUIT\r\n"}]


@pytest.mark.parametrize(
    ("check", "found"),
    [
        (
            {"tcp": {"preset": "smtp", "send": "x"}},
            ["tcp.send: preset is the whole dialogue (leave out send or preset)"],
        ),
        (
            {"tcp": {"preset": "smtp", "expect_hex": "00"}},
            ["tcp.expect_hex: preset is the whole dialogue (leave out expect_hex or preset)"],
        ),
        (
            {"tcp": {"preset": "smtp", "exchanges": STEPS}},
            ["tcp.exchanges: preset is the whole dialogue (leave out exchanges or preset)"],
        ),
        (
            {"tcp": {"exchanges": STEPS, "expect": "x"}},
            ["tcp.expect: exchanges is the whole dialogue (leave out expect or exchanges)"],
        ),
        (
            {"tcp": {"send": "x", "send_hex": "00"}},
            ["tcp.send_hex: send is given already (leave out send or send_hex)"],
        ),
        (
            {"tcp": {"exchanges": [*STEPS, {"expect": "x", "expect_hex": "00"}]}},
            [f"tcp.exchanges[2].{HEX_TOO}"],
        ),
        (
            {"udp": {"send": "x", "send_hex": "00", "expect": "x", "expect_hex": "00"}},
            [
                "udp.send_hex: send is given already (leave out send or send_hex)",
                f"udp.{HEX_TOO}",
            ],
        ),
        (
            {"tcp": {"exchanges": [{}, *STEPS, {}]}},
            [
                "tcp.exchanges[0]: a step sends or expects something",
                "tcp.exchanges[3]: a step sends or expects something",
            ],
        ),
        (
            {"udp": {"send": "é" * 32754}},
            ["udp.send: 65508 bytes are more than the 65507 of a datagram"],
        ),
        (
            {"udp": {"send_hex": "00" * 65508}},
            ["udp.send_hex: 65508 bytes are more than the 65507 of a datagram"],
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_told_where_it_stands(
    document: Document, complaints: Complain, check: dict[str, Any], found: list[str]
) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == [f"services.web.check.{each}" for each in found]


@pytest.mark.parametrize(
    "check",
    [
        {"tcp": {"preset": "postgresql"}},
        {"tcp": {"exchanges": STEPS}},
        {"tcp": {"send": "x", "expect_hex": "00"}},
        {"udp": {"send_hex": "00" * 65507, "expect": "x", "silence": "pass"}},
        "udp",
    ],
)
def test_what_can_be_said_is_fine(document: Document, complaints: Complain, check: object) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == []
