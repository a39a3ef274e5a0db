"""The config of a file, for a libra-vrrp that works alone."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from libra_runtime.journal import Stored
from libra_runtime.yaml_config import read_config
from libra_schemas.config import Config
from libra_schemas.errors import LibraError
from libra_vrrp.shell.secret import UnusableSecret, read_secrets
from libra_vrrp.shell.source import Taken, Waiting
from libra_vrrp.wanted import instances

log = structlog.get_logger()

FOLLOWED: Final = ("service", "operator", "conn.fresh")


class UnknownNode(LibraError):
    """The config has no node of our name."""


class FileIntake:
    """What a file says, as it was when somebody last asked; a bad one changes nothing."""

    def __init__(self, node: str, file: Path, asked: asyncio.Event) -> None:
        self._node = node
        self._file = file
        self._asked = asked
        self._asked.set()
        self._config: Config | None = None
        self._refusal: str | None = None
        self._waiting = Waiting()
        self.revision: str | None = None
        self.followed = FOLLOWED

    @property
    def trouble(self) -> str | None:
        """Say why what is in the file is not in force."""
        return self._waiting.why if self._refusal is None else f"not in force: {self._refusal}"

    def ask(self) -> None:
        """Have the config looked at again."""
        self._asked.set()

    def note(self, stored: Stored) -> None:
        """Pass over what a log says."""

    async def take(self) -> Taken | None:
        """Return what the file makes of this node; where somebody asked it is read first."""
        if self._asked.is_set():
            self._asked.clear()
            await self._read()
        if self._config is None:
            return None
        try:
            found = instances(self._config, self._node, read_secrets(self._config, self._node))
        except UnusableSecret as missing:
            self._waiting.note(str(missing))
            return None
        taken, self._config = self._config, None
        self._waiting.note(None)
        return taken, found

    async def tend(self, again: Callable[[], Awaitable[None]]) -> None:
        """Have the file taken where somebody asks, the first time at once."""
        while True:
            await self._waiting.until(self._asked)
            await again()

    async def _read(self) -> None:
        """Read the file; keep nothing of one that is wrong."""
        self._refusal = None
        try:
            self._config = await asyncio.to_thread(config_in, self._file, self._node)
        except LibraError as wrong:
            self._refusal = str(wrong)
        if self._refusal is None:
            log.info("config read", file=str(self._file))
        else:
            log.error("config not accepted, going on as before", reason=self._refusal)


def config_in(file: Path, node: str) -> Config:
    """Return the config in `file`; raise `LibraError` with all that is wrong for `node`."""
    config, _ = read_config(file)
    if node not in config.nodes:
        names = ", ".join(config.nodes)
        raise UnknownNode(
            f"{file}: nodes: the config has no node {node!r}: name one it has with --node or "
            f"LIBRA_NODE, {names}"
        )
    return config
