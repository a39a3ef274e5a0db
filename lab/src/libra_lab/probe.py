"""A client that asks at a steady pace and notes who answered, for as long as its block runs."""

import contextlib
import errno
import os
import selectors
import socket
import threading
import time
from dataclasses import dataclass
from typing import Self

from libra_lab.answers import Answer, failures, longest_gap, shares
from libra_lab.client import CHUNK, request_for, response_of
from libra_lab.inside import enter
from libra_lab.node import Node

OPEN_LIMIT = 512


@dataclass(slots=True)
class Request:
    """One request under way; nothing is left `unsent` once the connection stands."""

    sock: socket.socket
    asked: float
    unsent: bytes
    received: bytes = b""


class Probe:
    """Ask `url` every `interval` seconds, each request on a connection of its own.

    `http://` counts the body of a 200 as the server's name, `udp://address:port` the first word of
    the answer. A request fails after `timeout` seconds; a late one delays none of the others.
    """

    def __init__(
        self, node: Node, url: str, *, interval: float = 0.02, timeout: float = 2.0
    ) -> None:
        self.url = url
        self.interval = interval
        self.timeout = timeout
        self.answers: list[Answer] = []
        self.started = self.ended = 0.0
        self._node = node
        self._is_udp = url.startswith("udp://")
        self._address, self._port, self._request = request_for(url)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop asking, wait for what is under way, and settle the figures."""
        if not self._stopping.is_set():
            self.ended = time.monotonic()
            self._stopping.set()
        self._thread.join()

    def wait_for(self, answers: int, timeout: float = 60.0) -> None:
        """Wait until so many requests more were answered; raise TimeoutError."""
        wanted, deadline = sum(self.shares().values()) + answers, time.monotonic() + timeout
        while sum(self.shares().values()) < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.url}: {answers} answers did not come in {timeout:g} s")
            time.sleep(self.interval)

    def shares(self, since: float = 0.0) -> dict[str, int]:
        """Return how many of the requests asked after `since` each server answered."""
        return dict(shares(self._after(since)))

    def failures(self, since: float = 0.0) -> list[Answer]:
        """Return the requests asked after `since` that nobody answered."""
        return failures(self._after(since))

    def gap(self, since: float = 0.0) -> float:
        """Return the longest time without an answer, in seconds, from `since` on."""
        end = self.ended or time.monotonic()
        return longest_gap(list(self.answers), max(since, self.started), end)

    def _after(self, since: float) -> list[Answer]:
        return [answer for answer in list(self.answers) if answer.asked >= since]

    def _run(self) -> None:
        enter(self._node.namespace)
        self.started = due = time.monotonic()
        with self._selector:
            while not self._stopping.is_set() or self._selector.get_map():
                now = time.monotonic()
                if not self._stopping.is_set() and now >= due:
                    self._ask(now)
                    due = max(due + self.interval, now)
                ends = [key.data.asked + self.timeout for key in self._open()]
                wake = min([*ends, *([] if self._stopping.is_set() else [due])], default=now)
                for key, _ in self._selector.select(max(0.0, wake - time.monotonic())):
                    self._go_on(key.data)
                self._give_up(time.monotonic())

    def _open(self) -> list[selectors.SelectorKey]:
        return list(self._selector.get_map().values())

    def _ask(self, now: float) -> None:
        if len(self._selector.get_map()) >= OPEN_LIMIT:
            self.answers.append(Answer(now, now, None, "too many requests under way"))
            return
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        kind = socket.SOCK_DGRAM if self._is_udp else socket.SOCK_STREAM
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        request = Request(sock, now, b"?" if self._is_udp else self._request)
        error = sock.connect_ex((self._address, self._port))
        if error not in (0, errno.EINPROGRESS):
            self._note(request, None, os.strerror(error))
            sock.close()
            return
        self._selector.register(sock, selectors.EVENT_WRITE, request)

    def _go_on(self, request: Request) -> None:
        try:
            if request.unsent:
                request.unsent = request.unsent[request.sock.send(request.unsent) :]
                if not request.unsent:
                    self._selector.modify(request.sock, selectors.EVENT_READ, request)
                return
            data = request.sock.recv(CHUNK)
            request.received += data
            if self._is_udp:
                self._finish(request, data.split(b" ", 1)[0].decode(), "")
            elif not data:
                response = response_of(request.received)
                good = response.status == 200  # noqa: PLR2004  HTTP's OK
                error = "" if good else f"HTTP {response.status}"
                self._finish(request, response.text if good else None, error)
        except BlockingIOError:
            return
        except OSError as error:
            self._finish(request, None, str(error))

    def _give_up(self, now: float) -> None:
        for key in self._open():
            if now >= key.data.asked + self.timeout:
                self._finish(key.data, None, "timed out")

    def _finish(self, request: Request, server: str | None, error: str) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(request.sock)
        request.sock.close()
        self._note(request, server, error)

    def _note(self, request: Request, server: str | None, error: str) -> None:
        self.answers.append(Answer(request.asked, time.monotonic(), server, error))
