"""The console's composition root."""

import asyncio
import os
from pathlib import Path

import structlog

from libra_console.acts import due, next_due
from libra_console.revisions import Proposal
from libra_console.settings import Settings
from libra_console.shell.board import Board
from libra_console.shell.door import Door
from libra_console.shell.gateway import Gateway
from libra_runtime import logs, metrics
from libra_runtime.nats_journal import open_journal
from libra_runtime.settings import Edge
from libra_runtime.stamp import now
from libra_schemas.canonical import digest
from libra_schemas.errors import ConfigError

_LONGEST = 3600.0
"""Seconds between two looks at the wall clock, so that a stepped clock is noticed."""


def settings(edge: Edge) -> Settings:
    """Derive the console's settings from its environment."""
    config = os.environ.get("LIBRA_CONFIG")
    return Settings(
        node=edge.node,
        socket=edge.run / "console.sock",
        notes=edge.state / "console.files.json",
        config=Path(config).absolute() if config else None,
        metrics_port=edge.metrics_port,
    )


async def serve() -> None:
    """Run the console until it is cancelled."""
    edge = Edge.from_environment("console")
    logs.configure(edge.service, edge.node, edge.log_level)
    chosen = settings(edge)
    journal = await open_journal(edge)
    board = Board()
    gateway = Gateway(chosen, journal, board, journal.figures)
    door = Door(chosen.socket, gateway.answer)
    try:
        server = await door.open()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(door.keep(server))
            tasks.create_task(board.watch(journal))
            tasks.create_task(gateway.notebook.run())
            health = metrics.serve(edge.metrics_port, lambda: gateway.trouble or door.trouble)
            tasks.create_task(health)
            tasks.create_task(end_states(gateway, board))
            tasks.create_task(take_over(gateway, board, chosen.config))
    finally:
        await journal.close("stopped")


async def end_states(gateway: Gateway, board: Board) -> None:
    """Publish the state after each admin state whose `until` passes."""
    await board.ready()
    while True:
        for state in due(board.registers, now()):
            await gateway.end(state)
        end = next_due(board.registers)
        wait = _LONGEST if end is None else (end - now()).total_seconds()
        try:
            async with asyncio.timeout(min(max(wait, 0.0), _LONGEST)):
                await board.change()
        except TimeoutError:
            continue


async def take_over(gateway: Gateway, board: Board, file: Path | None) -> None:
    """Take LIBRA_CONFIG over at start, by design §10's rule; say what became of it."""
    if file is None:
        return
    from libra_runtime.yaml_config import read_config  # noqa: PLC0415 - YAML only for a file

    await board.ready()
    try:
        _, document = read_config(file)
    except ConfigError as error:
        response = await gateway.reject(error.problems, "LIBRA_CONFIG", digest(str(error)))
        structlog.get_logger().error(
            "config file refused", file=str(file), reason=response.body["error"]
        )
        return
    response = await gateway.propose(
        Proposal(document, "LIBRA_CONFIG", file=str(file), rule="changed")
    )
    structlog.get_logger().info("config file read", file=str(file), **response.body)
