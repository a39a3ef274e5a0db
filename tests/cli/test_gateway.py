"""Asking a console that is there, comes late, or never."""

import socket
import threading
import time
from pathlib import Path

import pytest

from libra_cli.exits import UNREACHABLE, CommandError
from libra_cli.gateway import ask
from libra_cli.site import Given, Site, locate
from libra_runtime import claim


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return locate(Given("a", tmp_path / "state", tmp_path, None))


def come_late(path: Path, answer: bytes) -> None:
    """Listen after a while, and answer the first who asks."""
    time.sleep(0.5)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer)


def test_a_console_that_comes_late_is_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBRA_WAIT", "60")
    body = b'{"node":"a"}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    console = threading.Thread(target=come_late, args=(site.socket, answer))
    console.start()
    assert ask(site, "GET", "/v1/status") == (200, {"node": "a"})
    console.join()


def test_without_patience_a_console_that_is_not_there_is_told_at_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIBRA_WAIT", raising=False)
    with pytest.raises(CommandError, match=r"no console answers on .*docker compose up -d") as told:
        ask(site, "GET", "/v1/status")
    assert told.value.status == UNREACHABLE


def test_beside_a_libra_vrrp_that_works_alone_nobody_is_told_to_start_anything(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A user who did as he was told started a second one."""
    monkeypatch.delenv("LIBRA_WAIT", raising=False)
    listing = tmp_path / "unix"
    listing.write_text(
        "Num RefCount Protocol Flags Type St Inode Path\n1: 2 0 1 1 1 9 @libra-vrrp\n"
    )
    monkeypatch.setattr(claim, "LISTING", listing)
    with pytest.raises(CommandError) as told:
        ask(site, "GET", "/v1/status")
    assert "a libra-vrrp works on this host: do not start another" in str(told.value)
    assert "libra up" not in str(told.value)
    assert told.value.status == UNREACHABLE


def test_a_patience_that_is_no_number_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBRA_WAIT", "soon")
    with pytest.raises(CommandError, match="LIBRA_WAIT: expected whole seconds, not 'soon'"):
        ask(site, "GET", "/v1/status")
