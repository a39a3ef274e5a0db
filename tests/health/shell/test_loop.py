"""What the driver's thread hears of sockets that come and go."""

import socket
from collections.abc import Iterator

import pytest

from libra_health.shell.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.leave()
    made.silence()


def test_an_event_of_a_closed_socket_is_none_of_the_one_that_has_its_number(loop: Loop) -> None:
    heard: list[str] = []
    made: list[socket.socket] = []
    pairs = [socket.socketpair() for _ in range(2)]

    def renew(_mask: int, _now: float) -> None:
        """Close both ends that are watched, whichever is told first, and open two new ones."""
        numbers = {ours.fileno() for ours, _ in pairs}
        for ours, _ in pairs:
            loop.close(ours)
        made.extend(socket.socketpair())
        assert {each.fileno() for each in made} == numbers  # given back at once
        for each in made:
            loop.enrol(lambda mask, now: heard.append(f"{mask} at {now}"), each.fileno())

    for ours, theirs in pairs:
        loop.enrol(renew, ours.fileno())
        theirs.send(b"x")
    assert loop.hear(1.0) == 2
    assert heard == []
    assert loop.hear(1.0) == 2  # the new ones can be written to
    assert len(heard) == 2
    for sock in (*made, *(theirs for _, theirs in pairs)):
        sock.close()


def test_a_socket_that_a_new_process_still_has_open_is_not_heard_of(loop: Loop) -> None:
    heard: list[int] = []
    ours, theirs = socket.socketpair()
    loop.enrol(lambda mask, _: heard.append(mask), ours.fileno())
    loop.hear(0.0)
    heard.clear()
    with ours.dup(), theirs:  # as between fork and exec
        loop.close(ours)
        theirs.send(b"x")
        assert loop.hear(0.05) == 0
    assert heard == []
