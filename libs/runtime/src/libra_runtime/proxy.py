"""A TCP proxy that swallows, cuts and slows, for tests."""

import asyncio


class Proxy:
    """Forwards TCP to a port of loopback.

    `swallow` drops what the server answers; `pace` is bytes a second each way, 0 without a limit.
    """

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self.swallow = False
        self.pace = 0
        self._is_cut = True
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen (on the same port each time) and forward."""
        self._is_cut = False
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Refuse new connections and end those there are."""
        self._is_cut = True
        if self._server is not None:
            self._server.close()
        self._end_all()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _end_all(self) -> None:
        while self._writers:
            self._writers.pop().transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        if self._is_cut:
            self._end_all()
            return
        pumps = (self._pump(reader, back, answers=False), self._pump(there, writer, answers=True))
        self._tasks |= {asyncio.create_task(pump) for pump in pumps}

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        try:
            while data := await source.read(65536):
                if not (answers and self.swallow):
                    sink.write(data)
                    await sink.drain()
                if self.pace:
                    await asyncio.sleep(len(data) / self.pace)
        except OSError:
            pass  # the other end is gone, and so is this one
        finally:
            sink.transport.abort()
            self._writers.discard(sink)
