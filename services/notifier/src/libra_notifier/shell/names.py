"""Host names looked up beside everything else: a resolver that hangs holds up nobody else's sink.

Rule: each sink has look-ups of its own, one per name and at most AT_ONCE, on threads of their own.
The event loop's executor is shared by all, and its threads end only when the resolver gives up.
"""

import asyncio
import socket
import threading
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

AT_ONCE: Final = 4
"""Look-ups of one sink that may hang at the same time: its name changed while one did."""

Address: TypeAlias = tuple[socket.AddressFamily, int, tuple[str, int] | tuple[str, int, int, int]]
"""Family, protocol and socket address, numeric."""


class Names:
    """The look-ups of one sink."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[str, int, int], asyncio.Future[list[Address]]] = {}
        self._freed = asyncio.Event()

    async def look_up(self, host: str, port: int, family: int = 0) -> list[Address]:
        """Return the addresses of *host*, in the resolver's order; raise OSError.

        Who is cancelled leaves the look-up running: the next one who asks joins it.
        """
        question = host, port, family
        while question not in self._under_way and len(self._under_way) >= AT_ONCE:
            self._freed.clear()
            await self._freed.wait()
        return await asyncio.shield(self._under_way.get(question) or self._ask(question))

    async def connected(self, host: str, port: int) -> socket.socket:
        """Connect to the first address of *host* that lets us; raise OSError."""
        loop, failed = asyncio.get_running_loop(), OSError(f"{host} has no address")
        for family, protocol, address in await self.look_up(host, port):
            sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, protocol)
            try:
                await loop.sock_connect(sock, address)
            except OSError as error:
                sock.close()
                failed = error
            except asyncio.CancelledError:
                sock.close()
                raise
            else:
                return sock
        raise failed

    def _ask(self, question: tuple[str, int, int]) -> asyncio.Future[list[Address]]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Address]] = loop.create_future()
        self._under_way[question] = answer

        def settle(outcome: list[Address] | OSError) -> None:
            del self._under_way[question]
            self._freed.set()
            if isinstance(outcome, OSError):
                answer.set_exception(outcome)
                answer.exception()  # nobody may be waiting any more
            else:
                answer.set_result(outcome)

        def work() -> None:
            outcome = _resolve(*question)
            with suppress(RuntimeError):  # the loop is closed: we end
                loop.call_soon_threadsafe(partial(settle, outcome))

        threading.Thread(target=work, name="look-up", daemon=True).start()
        return answer


def _resolve(host: str, port: int, family: int) -> list[Address] | OSError:
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    except OSError as error:
        return error
    except UnicodeError:
        return OSError(f"{host!r} is no host name")
    return [(of, protocol, address) for of, _, protocol, _, address in found]  # type: ignore[misc]  # bytes only without IPv6
