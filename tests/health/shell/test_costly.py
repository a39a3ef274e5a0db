"""Costly patterns through a real driver: who sends what explodes is down, and no other waits."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Thread

from tests.health.shell.driven import outcomes

from libra_health.checks import TcpSpec
from libra_health.checks.tcp import Exchange
from libra_health.outcome import Failed, Outcome, Passed
from libra_health.probes import Probe
from libra_health.wire import Target

READY = TcpSpec((Exchange(expect="220 .*ready"),))
EXPLODING = b"220 " * 8000


@contextmanager
def served(talk: Callable[[socket.socket], None]) -> Iterator[Target]:
    """Serve on loopback, one connection after the other."""

    def serve(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield Target("127.0.0.1", server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def say(answer: bytes, connection: socket.socket) -> None:
    connection.sendall(answer)
    while connection.recv(65536):
        pass


def drip(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b"220 " * 1500)
    while True:
        connection.sendall(b"x")
        time.sleep(0.002)


def mostly(found: list[Outcome]) -> type[Outcome] | None:
    """Tell of what kind most were; where the machine is busy some are not decided."""
    ((kind, number),) = Counter(type(each) for each in found).most_common(1)
    return kind if number > 0.5 * len(found) else None


def test_a_backend_beside_one_whose_answers_explode_is_judged_as_if_it_were_alone() -> None:
    with (
        served(partial(say, EXPLODING)) as evil,
        served(partial(say, b"500 broken\r\n")) as wrong,
        served(partial(say, b"220 is ready\r\n")) as good,
    ):
        probes = [Probe(each, READY, 0.3, 0.25) for each in (evil, wrong, good)]
        found = outcomes(4.0, *probes)
    assert mostly(found[wrong]) is Failed
    assert mostly(found[good]) is Passed
    assert Failed in {type(each) for each in found[evil]}
    assert Passed not in {type(each) for each in found[evil]}
    assert Failed not in {type(each) for each in found[good]}


def test_who_drips_what_is_costly_is_down_at_its_deadline() -> None:
    with served(drip) as slow:
        found = outcomes(2.5, Probe(slow, READY, 1.0, 0.7))
    assert Failed in {type(each) for each in found[slow]}
