"""What is said of the packet filter from one look to the next, whatever a look ends by."""

from collections.abc import Sequence
from struct import error as StructError  # noqa: N812 - it is one

import pytest
import structlog
from tests.ipvs_writer.forwarding import DOCUMENT

from libra_ipvs_writer.packet_filter.rules import UnreadableRules
from libra_ipvs_writer.shell.forward import Forward
from libra_schemas.config import Config
from libra_schemas.intent.prepared import Prepared, prepare

PREPARED = prepare(Config.model_validate(DOCUMENT), "a")
CHANGED = UnreadableRules("the rules changed while they were read")


async def looks(
    monkeypatch: pytest.MonkeyPatch, *ends: Sequence[str] | Exception
) -> tuple[list[str | None], list[str]]:
    """Look once for each of *ends*; give what is said after each, and what is logged."""
    forward, left = Forward(), list(ends)

    def examine(_: Prepared) -> Sequence[str]:
        end = left.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    monkeypatch.setattr(forward, "_examine", examine)
    said = []
    with structlog.testing.capture_logs() as logged:
        for _ in ends:
            await forward.look(PREPARED)
            said.append(forward.trouble)
    return said, [str(line["event"]) for line in logged]


async def test_a_look_that_fails_leaves_the_last_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    said, logged = await looks(monkeypatch, ["dropped"], CHANGED, ["dropped"], [])
    assert said == ["dropped", "dropped", "dropped", None]
    assert logged == [
        "answers are dropped",
        "the packet filter cannot be read",
        "answers are no longer dropped",
    ]


async def test_a_failure_is_told_once_and_again_after_a_look_that_succeeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said, logged = await looks(monkeypatch, CHANGED, CHANGED, [], CHANGED)
    assert said == [None] * 4
    assert logged == ["the packet filter cannot be read"] * 2


@pytest.mark.parametrize("error", [KeyError("c"), IndexError(), StructError("short"), OSError(5)])
async def test_a_look_never_ends_the_writer(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    said, logged = await looks(monkeypatch, ["dropped"], error)
    assert said == ["dropped", "dropped"]
    assert logged[1:] == ["the packet filter cannot be read"]
