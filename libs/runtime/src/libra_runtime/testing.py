"""What tests start and fake: a real nats-server on a free port, and the journal in memory."""

from dataclasses import dataclass
from pathlib import Path

from libra_runtime.keys import ensure_seeds
from libra_runtime.memory import MemoryJournal
from libra_runtime.memory_log import MemoryLog
from libra_runtime.nats_server import NatsServer, free_port
from libra_runtime.session import open_session
from libra_runtime.settings import Edge
from libra_runtime.streams import Limits, init_streams
from libra_schemas.nats import ADMIN, ServerSettings, permissions

__all__ = ["MemoryJournal", "MemoryLog", "TestServer", "start_nats"]


@dataclass(slots=True)
class TestServer:
    """A node's nats-server with its users; the streams are made by `make_streams`."""

    __test__ = False

    node: str
    directory: Path
    server: NatsServer

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.server.url

    @property
    def seeds(self) -> dict[str, Path]:
        """User name -> seed file."""
        return {user: self.directory / "keys" / f"{user}.seed" for user in permissions(self.node)}

    def edge(self, service: str, url: str | None = None) -> Edge:
        """Describe the edge of *service* on this server (through *url* where given)."""
        return Edge(
            node=self.node,
            service=service,
            nats=url or self.url,
            state=self.directory / "state",
            run=self.directory / "run",
            seed_file=self.seeds[service],
        )

    async def make_streams(self, limits: Limits | None = None) -> None:
        """Make LOG, STATE and DEAD as the admin."""
        session = await open_session(self.edge(ADMIN), lambda _: None)
        try:
            await init_streams(session, self.node, limits)
        finally:
            await session.close()

    def stop(self) -> None:
        """End the server in order."""
        self.server.stop()

    def kill(self) -> None:
        """Kill the server at once."""
        self.server.kill()

    def restart(self) -> None:
        """Start the server again on its port, with what its disk holds."""
        self.server.stop()
        self.server.start()


def start_nats(directory: Path, node: str = "a", more: str = "") -> TestServer:
    """Start a nats-server on a free port with every user of *node*; the caller stops it.

    *more* is what else to configure.
    """
    nkeys = ensure_seeds(directory / "keys", permissions(node))
    settings = ServerSettings(node, directory / "jetstream", nkeys, port=free_port())
    server = NatsServer(settings, directory, more)
    server.start()
    return TestServer(node, directory, server)
