"""The console's socket over time: a file that anybody with the directory may remove.

Rule: a socket that is gone, or on whose place nobody listens, is made anew; another process's in
its place is left alone and told.
"""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from libra_console.shell.http import Answer, listen

_LOOK: Final = 2.0
"""Seconds between two looks whether the socket is still there."""


class Door:
    """Listens on the unix socket *path*; `trouble` says why nobody can come in."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self._path = path
        self._answer = answer
        self._mine: int | None = None

    @property
    def trouble(self) -> str | None:
        """Look whether a caller finds us at the socket; say in one sentence what is wrong."""
        found = self._inode()
        if found is None:
            return f"the socket {self._path} is gone; it is made anew"
        if found == self._mine:
            return None
        if self._is_unattended():
            return f"nobody listens on {self._path}; the socket is made anew"
        return f"another process listens on {self._path}; end it, then restart the console"

    async def open(self) -> asyncio.Server:
        """Listen, in place of what a predecessor left; raise OSError."""
        server = await listen(self._path, self._answer)
        self._mine = self._inode()
        return server

    async def keep(self, server: asyncio.Server) -> None:
        """Open again whenever the socket is gone, until cancelled; then close."""
        try:
            while True:
                await asyncio.sleep(_LOOK)
                if self._inode() != self._mine and self._is_unattended():
                    server.close()
                    with suppress(OSError):
                        server = await self.open()
                        structlog.get_logger().warning("the socket was gone, it is made anew")
        finally:
            server.close()

    def _is_unattended(self) -> bool:
        """Tell whether nobody listens there: no file, none of a socket, or one left behind."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as caller:
            try:
                caller.connect(str(self._path))
            except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
                return True
            except OSError:
                return False
        return False

    def _inode(self) -> int | None:
        try:
            return self._path.stat().st_ino
        except OSError:
            return None
