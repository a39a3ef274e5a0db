"""Look-ups that hang: whose they are they hold up, and nobody else."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from libra_notifier.shell.names import AT_ONCE, Names

HERE = (socket.AF_INET, socket.IPPROTO_TCP, ("192.0.2.1", 25))
INFO = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("192.0.2.1", 25))


class Resolver:
    """Answers for `good.test`, hangs on everything else until told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = threading.Event()

    def __call__(self, host: str, *_: Any) -> list[Any]:
        self.asked.append(host)
        if host != "good.test" and not self.answer.wait(20):
            raise socket.gaierror(socket.EAI_AGAIN, "hung")
        return [INFO]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    found = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", found)
    yield found
    found.answer.set()


async def give_up(names: Names, host: str) -> None:
    """Ask, and stop waiting at once."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await names.look_up(host, 25)


@pytest.mark.usefixtures("resolver")
async def test_one_sinks_hanging_look_ups_delay_no_other_sink() -> None:
    for number in range(50):
        await give_up(Names(), f"bad{number}.test")
    async with asyncio.timeout(1):
        assert await Names().look_up("good.test", 25) == [HERE]


async def test_who_asks_again_joins_the_look_up_that_hangs(resolver: Resolver) -> None:
    names = Names()
    for _ in range(5):
        await give_up(names, "bad.test")
    resolver.answer.set()
    assert await names.look_up("bad.test", 25) == [HERE]
    assert len(resolver.asked) <= 2


async def test_look_ups_that_hang_are_few(resolver: Resolver) -> None:
    names = Names()
    for number in range(3 * AT_ONCE):
        await give_up(names, f"bad{number}.test")
    assert len(resolver.asked) == AT_ONCE
    resolver.answer.set()
    async with asyncio.timeout(1):
        assert await names.look_up("late.test", 25) == [HERE]


async def test_a_name_that_is_none_is_an_error_every_time() -> None:
    names = Names()
    for name in ("nowhere.invalid", "nowhere.invalid", "." * 70):
        with pytest.raises(OSError, match=r"not known|no host name"):
            await names.look_up(name, 25)


async def test_the_first_address_that_lets_us_in_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    families = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: families)
    async with server:
        sock = await Names().connected("both.test", port)
        assert sock.getpeername() == ("127.0.0.1", port)
        sock.close()
    with pytest.raises(ConnectionRefusedError):
        await Names().connected("both.test", port)
