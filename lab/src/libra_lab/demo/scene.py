"""The scene of the story: networks, servers, two directors and those who are told."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from libra_lab.demo.chaos import Chaos
from libra_lab.demo.config import OPS, UDP_PORT, WEB_PORT, write
from libra_lab.demo.director import Director
from libra_lab.demo.peers import Ops
from libra_lab.demo.tell import Told
from libra_lab.node import Node
from libra_lab.pair import Pair, Plan, pair
from libra_lab.serving import ready, start
from libra_lab.waiting import wait_until


@dataclass(slots=True)
class Scene:
    """Everything the steps act on."""

    lab: Pair
    a: Director
    b: Director
    ops: Ops
    told: Told
    chaos: Chaos | None = None
    servers: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)

    @property
    def client(self) -> Node:
        """The machine that asks."""
        return self.lab.clients["client"]

    @property
    def directors(self) -> tuple[Director, Director]:
        """Both directors."""
        return self.a, self.b

    @property
    def web(self) -> str:
        """The virtual address and port of the web service, as ipvsadm prints it."""
        return f"{self.lab.web_vip}:{WEB_PORT}"

    @property
    def names(self) -> str:
        """The virtual address and port of the UDP service."""
        return f"{self.lab.udp_vip}:{UDP_PORT}"

    def real(self, *names: str) -> set[str]:
        """Name web servers as ipvsadm prints them."""
        every = {**self.lab.plan.web, **self.lab.plan.sorry}
        return {f"{self.lab.plan.inner(every[name])}:{WEB_PORT}" for name in names}

    def direct(self, *names: str) -> set[str]:
        """Name UDP servers as ipvsadm prints them."""
        return {f"{self.lab.plan.outer(self.lab.plan.udp[name])}:{UDP_PORT}" for name in names}

    def kill_server(self, name: str) -> None:
        """Kill -9 the server program of a real server; its machine stays."""
        process = self.servers.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def start_server(self, *names: str) -> None:
        """Start the server programs of real servers and wait until they listen."""
        every = {**self.lab.web, **self.lab.sorry, **self.lab.udp}
        for name in names:
            kind, port = ("udp", UDP_PORT) if name in self.lab.udp else ("http", WEB_PORT)
            self.servers[name] = start(every[name], kind, name, port)
        ready(*(self.servers[name] for name in names))

    def wait_until(
        self, condition: Callable[[], bool], what: str, timeout: float, steady: float = 0.0
    ) -> float:
        """Wait for *condition* as long as both directors run; see `waiting.wait_until`."""

        def holds() -> bool:
            for director in self.directors:
                director.require_up()
            return condition()

        return wait_until(holds, what, timeout, steady=steady)

    @property
    def master(self) -> Director:
        """The director that owns the web address; raise LookupError unless exactly one does."""
        owners = [each for each in self.directors if each.owns(self.lab.web_vip)]
        if len(owners) != 1:
            raise LookupError(f"{len(owners)} directors own {self.lab.web_vip}")
        return owners[0]


@contextmanager
def scene(told: Told, seed: int | None = None) -> Iterator[Scene]:
    """Build the scene, start both directors, and take everything down afterwards."""
    plan = Plan()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="libra-demo-")))
        folder.chmod(0o755)  # the services without privileges read below it
        lab = stack.enter_context(pair(plan))
        ops_node = lab.topology.node("ops", {"eth0": ("outside", f"{plan.outer(OPS)}/24")})
        ops = Ops()
        ops.start(ops_node)
        config = write(plan, folder / "etc")
        a, b = (Director(node, folder / name, config) for name, node in lab.directors.items())
        made = Scene(lab, a, b, ops, told)
        made.start_server(*lab.web, *lab.sorry, *lab.udp)
        made.chaos = None if seed is None else Chaos(seed, [a, b])
        a.start()
        b.start()
        try:
            yield made
        finally:
            for director in made.directors:
                director.stop()
