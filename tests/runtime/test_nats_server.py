"""Finding, checking, starting and ending nats-server; its users' keys."""

from pathlib import Path, PurePath

import pytest

from libra_runtime.fitness import version_of
from libra_runtime.journal import OldServer
from libra_runtime.keys import ensure_seeds, new_seed, public_nkey
from libra_runtime.nats_server import (
    NatsServer,
    NoServer,
    answers,
    find_binary,
    free_port,
    require_version,
)
from libra_schemas.nats import ServerSettings


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_binary_named_by_the_environment_wins(tmp_path: Path) -> None:
    named = program(tmp_path / "server", "true")
    assert find_binary({"LIBRA_NATS_SERVER": str(named)}) == named
    with pytest.raises(NoServer, match="is no program"):
        find_binary({"LIBRA_NATS_SERVER": str(tmp_path / "nothing")})


def test_the_found_binary_is_new_enough() -> None:
    assert require_version(find_binary({})) >= (2, 12, 1)


def test_an_old_binary_is_refused(tmp_path: Path) -> None:
    old = program(tmp_path / "nats-server", "echo nats-server: v2.9.10")
    with pytest.raises(OldServer, match=r"2\.9\.10 is too old; LibrA needs 2\.12\.1"):
        require_version(old)


def test_a_binary_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoServer, match="does not run"):
        require_version(program(tmp_path / "nats-server", "exit 3"))


@pytest.mark.parametrize(
    ("text", "version"),
    [("2.15.1", (2, 15, 1)), ("v2.12.1-RC.3\n", (2, 12, 1)), ("", ())],
)
def test_versions_are_compared_as_numbers(text: str, version: tuple[int, ...]) -> None:
    assert version_of(text) == version


def settings(tmp_path: Path, port: int) -> ServerSettings:
    return ServerSettings("a", PurePath(tmp_path / "store"), {}, port=port)


def test_a_server_starts_and_ends(tmp_path: Path) -> None:
    port = free_port()
    server = NatsServer(settings(tmp_path, port), tmp_path)
    server.start()
    assert answers("127.0.0.1", port)
    with pytest.raises(NoServer, match="in use by another server"):
        NatsServer(settings(tmp_path, port), tmp_path / "second").start()
    server.stop()
    assert not answers("127.0.0.1", port)
    server.stop()


def test_a_free_port_is_none_that_a_connection_may_get() -> None:
    lowest = 32_768  # of ip_local_port_range, unless an administrator changed it
    assert all(free_port() < lowest for _ in range(100))


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("no directory")
    with pytest.raises(NoServer, match=r"does not start: .*(store|directory)"):
        NatsServer(settings(tmp_path, free_port()), tmp_path).start()


def test_a_seed_gives_the_public_key_that_nkeys_derives() -> None:
    public = public_nkey(new_seed())
    assert public.startswith("U")
    assert len(public) == 56


def test_seeds_are_made_once_and_are_private(tmp_path: Path) -> None:
    first = ensure_seeds(tmp_path, ["admin", "health"])
    assert ensure_seeds(tmp_path, ["admin", "health"]) == first
    assert (tmp_path / "admin.seed").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("seed", [b"", b"nonsense", b"S" * 58])
def test_what_is_no_seed_is_refused(seed: bytes) -> None:
    with pytest.raises(ValueError, match="no nkey seed"):
        public_nkey(seed)
