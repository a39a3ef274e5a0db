"""Sockets that connect again: nothing of one connection is seen in the next."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.health.shell.driven import outcomes

from libra_health.checks import TcpSpec
from libra_health.outcome import Failed, Outcome, Passed, Reason
from libra_health.probes import Changes, Probe
from libra_health.shell import sockets
from libra_health.shell.drive import Driver
from libra_health.shell.loop import Loop
from libra_health.shell.spares import MOST, Spares
from libra_health.wire import Origin, Target

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.leave()
    made.silence()


def listener(family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    return socket.create_server((LOOPBACK[family], 0), family=family, backlog=128)


def target_of(server: socket.socket) -> Target:
    address, port = server.getsockname()[:2]
    return Target(address, port)


@contextmanager
def silent() -> Iterator[Target]:
    """Listen without room: whoever connects hears nothing."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        yield target_of(server)


def connected(loop: Loop, sock: socket.socket, target: Target) -> list[int]:
    """Connect a socket that the loop tells of; return what epoll said of it."""
    said: list[int] = []
    sock.connect_ex((target.address, target.port))
    loop.enrol(lambda mask, _now: said.append(mask), sock.fileno())
    while not said:
        assert loop.hear(5.0)
    return said


@pytest.mark.parametrize("family", LOOPBACK)
def test_who_is_left_hears_of_it_at_once_and_the_socket_connects_to_another(
    loop: Loop, family: socket.AddressFamily
) -> None:
    with listener(family) as first, listener(family) as second, ExitStack() as stack:
        one, other = target_of(first), target_of(second)
        spares = Spares(loop)
        stack.callback(spares.keep, 0)
        sock = sockets.stream(one, abort=True)
        connected(loop, sock, one)
        peer = stack.enter_context(first.accept()[0])
        peer.settimeout(5.0)
        spares.leave(sock, again=True)
        with pytest.raises(ConnectionResetError):
            peer.recv(1)
        assert spares.take(other) is sock
        stack.enter_context(closing(sock))
        assert connected(loop, sock, other)
        peer = stack.enter_context(second.accept()[0])
        peer.sendall(b"hello")
        peer.close()
        sock.settimeout(5.0)
        assert sock.recv(16) == b"hello"


def test_what_was_said_and_not_read_is_gone(loop: Loop) -> None:
    with listener() as first, listener() as second, ExitStack() as stack:
        one, other = target_of(first), target_of(second)
        spares = Spares(loop)
        sock = sockets.stream(one, abort=True)
        connected(loop, sock, one)
        with first.accept()[0] as peer:
            peer.sendall(b"of the past")
        time.sleep(0.05)
        spares.leave(sock, again=True)
        assert spares.take(other) is sock
        stack.enter_context(closing(sock))
        connected(loop, sock, other)
        with second.accept()[0], pytest.raises(BlockingIOError):
            sock.recv(16)


def test_a_hang_up_of_before_is_told_to_nobody(loop: Loop) -> None:
    with listener() as server, silent() as mute, ExitStack() as stack:
        target, spares = target_of(server), Spares(loop)
        sock = sockets.stream(target, abort=True)
        connected(loop, sock, target)
        spares.leave(sock, again=True)
        assert spares.take(mute) is sock
        stack.enter_context(closing(sock))
        said: list[int] = []
        sock.connect_ex((mute.address, mute.port))
        loop.enrol(lambda mask, _now: said.append(mask), sock.fileno())
        loop.hear(0.05)
        assert said == []


def test_what_was_said_of_one_connection_is_not_told_to_the_next_that_has_its_socket(
    loop: Loop,
) -> None:
    """Both hang up in one batch; who is told first takes the other's socket for its own."""
    with listener() as server, silent() as mute, ExitStack() as stack:
        target, spares = target_of(server), Spares(loop)
        said: list[int] = []
        socks = [sockets.stream(target, abort=True) for _ in range(2)]
        for sock in socks:
            stack.enter_context(closing(sock))
            connected(loop, sock, target)

        def first(_mask: int, _now: float) -> None:
            other = next(each for each in socks if each.fileno() not in told)
            spares.leave(other, again=True)
            again = spares.take(mute)
            assert again is other
            again.connect_ex((mute.address, mute.port))
            loop.enrol(lambda mask, _now: said.append(mask), again.fileno())

        def wake(sock: socket.socket, mask: int, now: float) -> None:
            told.append(sock.fileno())
            if len(told) == 1:
                first(mask, now)

        told: list[int] = []
        for sock in socks:
            loop.enrol(partial(wake, sock), sock.fileno())
        for _ in socks:
            server.accept()[0].close()
        time.sleep(0.05)
        assert loop.hear(5.0) == len(socks)
        assert (len(told), said) == (1, [])


def test_a_spare_serves_its_family_and_only_who_leaves_from_anywhere(loop: Loop) -> None:
    with listener() as server:
        target, spares = target_of(server), Spares(loop)
        sock = sockets.stream(target, abort=True)
        connected(loop, sock, target)
        spares.leave(sock, again=True)
        assert spares.take(Target("::1", target.port)) is None
        assert spares.take(Target("127.0.0.1", target.port, Origin("127.0.0.1"))) is None
        assert spares.take(target) is sock
        sock.close()


@pytest.mark.parametrize(
    ("address", "serves"),
    [("192.0.2.1", True), ("2001:db8::1", True), ("::ffff:192.0.2.1", False), ("fe80::1", False),
     ("fe80::1%lo", False)],
)  # fmt: skip
def test_what_a_connection_leaves_on_a_socket_is_known(address: str, serves: bool) -> None:
    assert sockets.serves_others(Target(address, 80)) is serves


def test_more_than_are_kept_are_closed(loop: Loop) -> None:
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    with listener() as server:
        target, spares = target_of(server), Spares(loop)
        socks = [sockets.stream(target, abort=True) for _ in range(MOST + 3)]
        for sock in socks:
            loop.enrol(lambda _mask, _now: None, sock.fileno())
        for sock in socks:
            spares.leave(sock, again=True)
        assert sum(sock.fileno() >= 0 for sock in socks) == MOST
        spares.keep(2)
        assert sum(sock.fileno() >= 0 for sock in socks) == 2
        spares.keep(0)
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before


def test_each_run_is_judged_by_its_own_connection_whoever_had_the_socket_before() -> None:
    """Targets that accept, refuse and are silent, on sockets that go round among them."""
    with (
        listener() as good,
        listener(socket.AF_INET6) as six,
        silent() as mute,
        ExitStack() as stack,
    ):
        closed = stack.enter_context(closing(socket.socket()))
        closed.bind(("127.0.0.1", 0))
        stack.callback(good.shutdown, socket.SHUT_RDWR)
        stack.callback(six.shutdown, socket.SHUT_RDWR)
        _accept_all(good)
        _accept_all(six)
        found = outcomes(
            2.0,
            *(Probe(target_of(each), TcpSpec(), 0.02, 0.02) for each in (good, six, closed)),
            Probe(mute, TcpSpec(), 0.05, 0.05),
        )
        passed = {target_of(good), target_of(six)}
        for target in passed:
            kinds = [each for each in found[target] if not _is_late(each)]
            assert len(kinds) > 20
            assert all(isinstance(each, Passed) for each in kinds)
        assert {_reason(each) for each in found[target_of(closed)]} == {Reason.REFUSED}
        assert {_reason(each) for each in found[mute]} == {Reason.TIMEOUT}


def _accept_all(server: socket.socket) -> None:
    def accept() -> None:
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()


def _is_late(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and outcome.reason is Reason.TIMEOUT


def _reason(outcome: Outcome) -> Reason | None:
    return None if isinstance(outcome, Passed) else outcome.reason


def test_an_ipv4_address_in_ipv6_clothes_leaves_no_socket_to_those_of_ipv6() -> None:
    with listener() as four, listener(socket.AF_INET6) as six:
        _accept_all(four)
        _accept_all(six)
        mapped = Target(f"::ffff:{four.getsockname()[0]}", four.getsockname()[1])
        own = target_of(six)
        found = outcomes(1.0, *(Probe(each, TcpSpec(), 0.1, 0.09) for each in (mapped, own)))
        for server in (four, six):
            server.shutdown(socket.SHUT_RDWR)
    for target in (mapped, own):
        assert {type(each) for each in found[target]} == {Passed}
        assert len(found[target]) > 5


def test_spares_go_with_the_probes_they_served() -> None:
    died: list[BaseException] = []
    driver = Driver(lambda *_: None, died.append)
    driver.start()
    with listener() as server:
        _accept_all(server)
        address, port = server.getsockname()
        probes = (Probe(Target(address, port), TcpSpec(), 0.1, 0.1),)
        driver.call(partial(driver.apply, Changes((), probes, ()), spread=False))
        time.sleep(0.3)
        driver.call(partial(driver.apply, Changes(probes, (), ()), spread=False))
        done = threading.Event()
        driver.call(done.set)
        assert done.wait(10.0)
        assert driver._around.spares.take(Target(address, port)) is None
        server.shutdown(socket.SHUT_RDWR)
    driver.stop()
    assert died == []
