"""The gateway, over its real socket, on the journal double."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from libra_console.settings import Settings
from libra_console.shell.board import Board
from libra_console.shell.gateway import Gateway
from libra_console.shell.http import MAX_BODY, listen
from libra_console.shell.service import end_states, take_over
from libra_runtime.testing import MemoryJournal, MemoryLog
from libra_schemas.events import AdminState, ConfigApplied

DOCUMENT: dict[str, Any] = {
    "version": 1,
    "nodes": {"a": {"address": "10.0.0.2"}},
    "services": {"web": {"address": "192.0.2.1:80", "backends": {"w1": "10.0.0.5:80"}}},
}
OTHER: dict[str, Any] = {**DOCUMENT, "nodes": {"a": {"address": "10.0.0.9"}}}
ROUTED: dict[str, Any] = {
    **DOCUMENT,
    "instances": {"front": {"interface": "eth0", "vrid": 5, "addresses": ["192.0.2.1/24"]}},
}


@dataclass(slots=True)
class Console:
    """A gateway that runs, and what it stands on."""

    socket: Path
    log: MemoryLog
    journal: MemoryJournal
    board: Board
    gateway: Gateway

    async def raw(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(self.socket)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        raw = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n"
        answer = await self.raw(head.encode() + raw)
        head_, _, content = answer.partition(b"\r\n\r\n")
        return int(head_.split()[1]), json.loads(content)

    async def apply(self, document: Any, **more: Any) -> tuple[int, dict[str, Any]]:
        return await self.ask("POST", "/v1/config", {"document": document, **more})

    def said(self, kind: str) -> list[Any]:
        return [s.event.data for s in self.journal.published if s.subject.type == kind]


@asynccontextmanager
async def console(tmp_path: Path, ack_timeout: float = 10.0) -> AsyncIterator[Console]:
    log = MemoryLog()
    journal = MemoryJournal("a", "console", log)
    board = Board()
    settings = Settings("a", tmp_path / "console.sock", tmp_path / "notes", None, ack_timeout)
    gateway = Gateway(settings, journal, board)
    server = await listen(settings.socket, gateway.answer)
    tasks = [
        asyncio.create_task(board.watch(journal)),
        asyncio.create_task(end_states(gateway, board)),
    ]
    try:
        await board.ready()
        yield Console(settings.socket, log, journal, board, gateway)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.close()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path) as each:
        yield each


async def test_a_good_config_becomes_revision_1_and_is_in_force(running: Console) -> None:
    status, answer = await running.apply(DOCUMENT, comment="first")
    assert (status, answer["number"], answer["changed"]) == (200, 1, True)
    (applied,) = running.said("config.applied")
    assert isinstance(applied, ConfigApplied)
    assert (applied.document, applied.comment) == (DOCUMENT, "first")
    status, shown = await running.ask("GET", "/v1/config")
    assert (status, shown["document"]) == (200, DOCUMENT)
    _, state = await running.ask("GET", "/v1/status")
    assert state["config"]["revision"] == answer["revision"]
    assert "w1" in state["services"]["web"]["backends"]


async def test_the_same_config_again_is_unchanged(running: Console) -> None:
    await running.apply(DOCUMENT)
    status, answer = await running.apply(DOCUMENT)
    assert (status, answer["number"], answer["changed"]) == (200, 1, False)
    assert len(running.said("config.applied")) == 1


async def test_a_bad_config_names_every_problem_and_changes_nothing(running: Console) -> None:
    await running.apply(DOCUMENT)
    bad = {**DOCUMENT, "nodez": {}, "services": {"web": {"address": "nonsense", "backends": {}}}}
    status, answer = await running.apply(bad)
    assert status == 422
    assert {each["path"] for each in answer["problems"]} >= {"nodez", "services.web.address"}
    assert len(running.said("config.applied")) == 1


async def test_a_refused_config_is_in_the_log_and_costs_no_number(running: Console) -> None:
    await running.apply(DOCUMENT)
    bad = {**DOCUMENT, "nodez": {}}
    _, answer = await running.apply(bad, author="me")
    (rejected,) = running.said("config.rejected")
    assert rejected.author.startswith("me")
    assert [each.path for each in rejected.problems] == ["nodez"]
    _, state = await running.ask("GET", "/v1/status")
    assert state["config"]["number"] == 1
    assert state["config"]["rejected"]["problems"][0]["path"] == "nodez"
    assert answer["sequence"] == state["sequence"]
    assert (await running.apply(OTHER))[1]["number"] == 2


async def test_a_file_that_is_no_config_is_in_the_log_with_its_places(running: Console) -> None:
    problem = {"path": "", "message": "no YAML: 'x'", "file": "/x.yaml", "line": 3, "column": 7}
    body = {"hash": "a" * 64, "problems": [problem]}
    status, answer = await running.ask("POST", "/v1/config/rejected", body)
    assert (status, answer["sequence"] > 0) == (422, True)
    (rejected,) = running.said("config.rejected")
    assert (rejected.hash, rejected.problems[0].line) == ("a" * 64, 3)
    assert rejected.author


async def test_without_a_log_a_bad_config_is_refused_all_the_same(running: Console) -> None:
    running.log.reachable = False
    status, answer = await running.apply({**DOCUMENT, "nodez": {}})
    assert (status, answer["sequence"]) == (422, None)
    assert answer["problems"][0]["path"] == "nodez"
    assert answer["unlogged"].startswith("nothing was changed: ")


async def test_a_file_at_start_that_is_no_config_ends_nothing(
    running: Console, tmp_path: Path
) -> None:
    file = tmp_path / "libra.yaml"
    file.write_text("version: 1\nnodez: {}\n")
    await take_over(running.gateway, running.board, file)
    (rejected,) = running.said("config.rejected")
    assert rejected.author == "LIBRA_CONFIG"
    assert 2 in [each.line for each in rejected.problems]


async def test_many_at_once_each_get_a_number_of_their_own(running: Console) -> None:
    documents = [
        {**DOCUMENT, "nodes": {"a": {"address": f"10.0.1.{last}"}}} for last in range(1, 9)
    ]
    answers = await asyncio.gather(*(running.apply(each) for each in documents))
    assert sorted(answer["number"] for _, answer in answers) == list(range(1, 9))


async def test_a_stale_base_is_a_conflict(running: Console) -> None:
    await running.apply(DOCUMENT)
    await running.apply(OTHER)
    status, answer = await running.apply(DOCUMENT, base="1")
    assert status == 409
    assert "revision 2 is in force" in answer["error"]


async def test_a_file_at_start_does_not_undo_what_was_applied_later(running: Console) -> None:
    start = {"file": "/etc/libra.yaml", "rule": "changed"}
    assert (await running.apply(DOCUMENT, **start))[0] == 200
    assert (await running.apply(OTHER))[1]["number"] == 2
    status, answer = await running.apply(DOCUMENT, **start)
    assert status == 409
    assert "has not changed since it became revision 1" in answer["error"]


async def test_notes_that_cannot_be_kept_hold_until_they_can(
    running: Console, tmp_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    start = {"file": "/etc/libra.yaml", "rule": "changed"}
    assert (await running.apply(DOCUMENT, **start))[0] == 200
    assert (await running.apply(OTHER, **start))[1]["number"] == 2


async def test_without_a_log_nothing_is_changed_and_the_sentence_says_so(running: Console) -> None:
    running.log.reachable = False
    status, answer = await running.apply(DOCUMENT)
    assert status == 503
    assert answer["error"].startswith("nothing was changed: ")
    assert (await running.ask("GET", "/healthz"))[0] == 503
    running.log.heal()
    assert (await running.apply(DOCUMENT))[0] == 200
    assert (await running.ask("GET", "/healthz"))[0] == 200


async def test_an_operator_acts_on_what_the_config_knows(running: Console) -> None:
    await running.apply(DOCUMENT)
    status, answer = await running.ask(
        "POST", "/v1/operator/drain", {"entity": "backend.web.w1", "why": "upgrade"}
    )
    assert (status, answer["state"]["mode"]) == (200, "drain")
    (state,) = running.said("operator.drain")
    assert isinstance(state, AdminState)
    assert (state.entity, state.why) == (("backend", "web", "w1"), "upgrade")
    assert state.who
    status, answer = await running.ask("POST", "/v1/operator/drain", {"entity": "backend.web.w2"})
    assert (status, "did you mean backend.web.w1?" in answer["error"]) == (422, True)


async def test_an_operator_without_a_config_is_told(running: Console) -> None:
    status, answer = await running.ask("POST", "/v1/operator/drain", {"entity": "service.web"})
    assert (status, answer["error"]) == (409, "no config is in force yet")


async def test_a_state_with_an_end_is_followed_by_ready(running: Console) -> None:
    await running.apply(DOCUMENT)
    until = (datetime.now(UTC) + timedelta(milliseconds=50)).isoformat()
    body = {"entity": "backend.web.w1", "until": until}
    assert (await running.ask("POST", "/v1/operator/maint", body))[0] == 200
    async with asyncio.timeout(60):
        async for each in running.journal.follow("operator.ready"):
            if getattr(each, "event", None):
                break
    (ready,) = running.said("operator.ready")
    assert (ready.mode, ready.until) == ("ready", None)


async def test_an_end_that_waited_behind_an_act_does_not_overrule_it(running: Console) -> None:
    await running.apply(DOCUMENT)
    body = {"entity": "backend.web.w1"}
    until = {"until": (datetime.now(UTC) + timedelta(milliseconds=100)).isoformat()}
    await running.ask("POST", "/v1/operator/drain", body | until)
    one_change = running.gateway._one_change
    await one_change.acquire()
    act = asyncio.create_task(running.ask("POST", "/v1/operator/maint", body))
    await waiting(one_change, 1)
    await waiting(one_change, 2)
    one_change.release()
    assert (await act)[1]["state"]["mode"] == "maint"
    await running.ask("POST", "/v1/operator/weight", body | {"weight": 5})
    assert running.said("operator.ready") == []
    _, state = await running.ask("GET", "/v1/status")
    assert state["services"]["web"]["backends"]["w1"]["mode"] == "maint"


async def waiting(lock: asyncio.Lock, number: int) -> None:
    """Wait until *number* changes wait for the one before them."""
    async with asyncio.timeout(60):
        while len(getattr(lock, "_waiters", None) or ()) < number:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.005)


async def test_an_act_is_answered_only_when_the_status_follows_it(
    running: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running.apply(DOCUMENT)
    learn, gate = running.board._learn, asyncio.Event()

    async def slowly(*news: Any) -> None:
        await gate.wait()
        await learn(*news)

    monkeypatch.setattr(running.board, "_learn", slowly)
    body = {"entity": "backend.web.w1"}
    act = asyncio.create_task(running.ask("POST", "/v1/operator/drain", body))
    async with asyncio.timeout(60):
        while not running.said("operator.drain"):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.005)
    done, _ = await asyncio.wait({act}, timeout=0.2)
    assert not done
    gate.set()
    assert (await act)[0] == 200
    _, state = await running.ask("GET", "/v1/status")
    assert state["services"]["web"]["backends"]["w1"]["mode"] == "drain"


async def test_a_failover_is_an_act_that_ends(running: Console) -> None:
    await running.apply(ROUTED)
    until = (datetime.now(UTC) + timedelta(milliseconds=50)).isoformat()
    body = {"entity": "instance.front", "until": until}
    _, answer = await running.ask("POST", "/v1/operator/failover", body)
    assert answer["state"]["failover"]
    assert answer["with"] == []
    async with asyncio.timeout(60):
        async for each in running.journal.follow("operator.ready"):
            if getattr(each, "event", None):
                break
    (ready,) = running.said("operator.ready")
    assert (ready.failover, ready.why) == (False, "failover ended as planned")
    del body["until"]
    _, answer = await running.ask("POST", "/v1/operator/failover", body)
    assert answer["state"]["until"] is not None


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("GET", "/v1/config", None, 404, id="no config yet"),
        pytest.param("GET", "/nothing", None, 404, id="no such path"),
        pytest.param("DELETE", "/v1/config", None, 404, id="no such method"),
        pytest.param("POST", "/v1/operator/explode", {}, 404, id="no such act"),
        pytest.param("POST", "/v1/config", {"documents": {}}, 400, id="no such field"),
        pytest.param("POST", "/v1/config", None, 400, id="no body"),
        pytest.param("POST", "/v1/config/rejected", {"problems": []}, 400, id="no problem"),
        pytest.param("POST", "/v1/operator/drain", {"entity": 7}, 400, id="no such entity form"),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_one_sentence(
    running: Console, method: str, path: str, body: Any, status: int
) -> None:
    got, answer = await running.ask(method, path, body)
    assert got == status
    assert answer["error"]
    assert "\n" not in answer["error"]


async def test_what_is_no_http_is_refused(running: Console) -> None:
    assert (await running.raw(b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400")


async def test_a_body_beyond_the_limit_is_refused(running: Console) -> None:
    head = f"POST /v1/config HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n"
    answer = await running.raw(head.encode() + b" " * (MAX_BODY + 1))
    assert answer.startswith(b"HTTP/1.1 413")


async def test_a_body_that_is_nested_without_end_is_refused(running: Console) -> None:
    body = b"[" * 200_000
    head = f"POST /v1/config HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    async with asyncio.timeout(60):
        answer = await running.raw(head.encode() + body)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"nested too deeply" in answer


async def test_a_config_with_more_errors_than_an_event_holds_is_refused_like_any(
    running: Console,
) -> None:
    status, answer = await running.apply(DOCUMENT | {"\0" * 500 + str(n): 1 for n in range(60)})
    assert (status, len(answer["problems"])) == (422, 60)
    (rejected,) = running.said("config.rejected")
    assert rejected.problems[-1].message.endswith("more")
