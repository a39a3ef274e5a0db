"""`libra init` in stages, as containers run it, and as a whole."""

import json
import os
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from libra_cli.exits import MISSING, REFUSED, UNREACHABLE
from libra_cli.init import RESTART
from libra_cli.prepare import HEALTH
from libra_cli.server_ports import squatter
from libra_cli.testing import Host, Up
from libra_health.settings import Settings
from libra_runtime.settings import Edge

GOOD = """\
version: 1
nodes: {a: {address: 10.0.0.2}}
services:
  web:
    address: 192.0.2.10:80
    backends:
      w1: {address: 10.0.1.11:80, weight: 3}
"""


def test_a_bad_config_is_refused_before_anything_is_made(host: Host) -> None:
    done = host.libra("init", "--config", host.write(GOOD.replace("backends", "backend")))
    assert done.returncode == REFUSED
    assert ":6:5: services.web.backend: " in done.stderr
    assert not host.site.state.exists()


def test_a_missing_config_is_refused_in_one_sentence(host: Host) -> None:
    done = host.libra("init", "--config", str(host.directory / "none.yaml"))
    assert done.returncode == REFUSED
    assert "none.yaml" in done.stderr


def test_a_config_that_containers_could_not_read_is_refused(host: Host) -> None:
    file = Path(host.write(GOOD))
    file.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(file, 1000, 1000)
    done = host.libra("init", "--stage", "files", "--config", str(file))
    assert done.returncode == REFUSED
    assert f"{file}: only its owner may read it; run `chmod a+r` on it" in done.stderr
    assert not host.site.state.exists()
    file.chmod(0o604)
    assert host.libra("init", "--stage", "files", "--config", str(file)).returncode == 0


def test_a_config_without_this_node_is_refused(host: Host) -> None:
    file = host.write(GOOD.replace("{a:", "{other:"))
    done = host.libra("init", "--config", file)
    assert done.returncode == REFUSED
    why = "the config has no node 'a': name one it has with --node or LIBRA_NODE, other"
    assert why in done.stderr


def test_the_files_are_made_without_a_server(host: Host) -> None:
    done = host.libra("init", "--stage", "files", "--monitor", "8222")
    assert done.returncode == 0, done.stderr
    assert 'http: "127.0.0.1:8222"' in host.site.server_config.read_text()
    assert "nats-server answers" not in done.stdout


def test_the_streams_wait_for_the_server_and_say_that_none_came(host: Host) -> None:
    assert host.libra("init", "--stage", "files").returncode == 0
    done = host.libra("init", "--stage", "streams", "--wait", "0.2")
    assert done.returncode == UNREACHABLE
    assert f"no nats-server answers on {host.site.nats} after 0.2 s" in done.stderr


def test_a_port_of_the_server_that_something_else_has_is_named(host: Host) -> None:
    assert host.libra("init", "--stage", "files").returncode == 0
    address, port = host.site.endpoint
    with socket.create_server((address, port)) as other:
        answering = threading.Thread(target=say, args=(other, b"220 mail\r\n"))
        answering.start()
        done = host.libra("init", "--stage", "streams", "--wait", "60")
        other.shutdown(socket.SHUT_RDWR)
        answering.join()
    assert done.returncode == MISSING
    assert done.stderr == (
        f"libra: 127.0.0.1:{port} is taken by something that is no nats-server: stop it "
        f"(`ss -ltnp 'sport = :{port}'` on the host names it)\n"
    )


@pytest.mark.parametrize(
    ("varz", "words"),
    [
        pytest.param(b'{"server_name": "b"}', "taken by nats-server 'b'", id="another server"),
        pytest.param(b"hello", "taken by something that is no nats-server", id="no server"),
    ],
)
def test_a_monitoring_port_that_others_have_is_named(host: Host, varz: bytes, words: str) -> None:
    answer = b"HTTP/1.0 200 OK\r\n\r\n" + varz
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        answering = threading.Thread(target=say, args=(other, answer))
        answering.start()
        assert words in str(squatter(host.site, port))
        other.shutdown(socket.SHUT_RDWR)
        answering.join()


def test_silence_on_a_port_of_the_server_proves_no_stranger(host: Host) -> None:
    assert host.libra("init", "--stage", "files").returncode == 0
    address, port = host.site.endpoint
    with socket.create_server((address, port)):
        done = host.libra("init", "--stage", "streams", "--wait", "0.2")
    assert done.returncode == UNREACHABLE
    assert done.stderr == (
        f"libra: something listens on 127.0.0.1:{port} but says nothing: a hung nats-server, "
        f"or another program (`ss -ltnp 'sport = :{port}'` on the host names it)\n"
    )


def test_a_web_server_on_a_port_of_the_server_is_a_stranger_although_it_waits_to_be_asked(
    host: Host,
) -> None:
    address = host.site.endpoint
    with ThreadingHTTPServer(address, BaseHTTPRequestHandler) as web:
        serving = threading.Thread(target=web.serve_forever)
        serving.start()
        found = squatter(host.site, 0)
        web.shutdown()
        serving.join()
    assert found is not None
    assert found.sure
    assert "is taken by something that is no nats-server" in found.sentence


def test_silence_on_the_monitoring_port_proves_no_stranger(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = squatter(host.site, silent.getsockname()[1])
    assert found is not None
    assert not found.sure


def test_a_server_that_is_starting_is_no_squatter(host: Host) -> None:
    answer = b'HTTP/1.0 200 OK\r\n\r\n{"server_name": "a"}'
    with socket.create_server(("127.0.0.1", 0)) as own:
        answering = threading.Thread(target=say, args=(own, answer))
        answering.start()
        assert squatter(host.site, own.getsockname()[1]) is None
        assert squatter(host.site, 0) is None
        own.shutdown(socket.SHUT_RDWR)
        answering.join()


def say(server: socket.socket, words: bytes) -> None:
    """Say the same to everybody who connects, until *server* is shut down."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            connection.sendall(words)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass


def test_a_seed_that_is_none_is_named(host: Host) -> None:
    assert host.libra("init", "--stage", "files").returncode == 0
    seed = host.site.seed("console")
    seed.write_text("no seed\n")
    done = host.libra("init", "--stage", "files")
    assert done.returncode == MISSING
    assert f"{seed}: this is no nkey seed" in done.stderr
    assert "remove it, a new one is made" in done.stderr


def test_the_first_config_is_taken_over_and_a_file_that_did_not_change_is_not_again(
    host: Host, up: Up
) -> None:
    assert up.process.poll() is None
    file = host.write(GOOD)
    words = ("init", "--config", file, "--wait", "30")
    first = host.libra(*words, "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["streams"] is True
    assert json.loads(first.stdout)["revision"] == 1
    assert host.libra(*words[:-2], "--stage", "config").stdout == (
        "node a: revision 1 is in force\n"
    )
    other = host.write(GOOD.replace("weight: 3", "weight: 4"), "other.yaml")
    assert host.libra("apply", other).returncode == 0
    declined = host.libra(*words)
    assert declined.returncode == 0
    assert "the config was not changed: " in declined.stdout
    assert "has not changed since it became revision 1" in declined.stdout


def test_a_file_that_changed_is_taken_over(host: Host, up: Up) -> None:
    assert up.process.poll() is None
    file = host.write(GOOD)
    assert host.libra("init", "--config", file).returncode == 0
    Path(file).write_text(GOOD.replace("weight: 3", "weight: 5"))
    done = host.libra("init", "--config", file)
    assert "revision 2 is in force" in done.stdout, done.stderr


def test_the_config_stage_needs_a_file(host: Host) -> None:
    done = host.libra("init", "--stage", "config")
    assert done.returncode == 2
    assert "--config" in done.stderr


def test_without_a_console_the_sentence_says_so(host: Host) -> None:
    done = host.libra("init", "--stage", "config", "--config", host.write(GOOD))
    assert done.returncode == UNREACHABLE
    assert "the console is not ready" in done.stderr


BROKEN = GOOD.replace("backends", "backend").replace("weight", "wait")


def test_a_node_that_has_its_files_goes_on_where_a_config_has_errors(host: Host) -> None:
    words = ("init", "--stage", "files", "--lenient", "--config")
    file = Path(host.write(BROKEN))
    first = host.libra(*words, str(file))
    assert first.returncode == REFUSED
    assert ":6:5: services.web.backend: " in first.stderr
    assert not host.site.state.exists()
    file.write_text(GOOD)
    good = host.libra(*words, str(file))
    assert good.stderr == ""
    made = f"node a: keys and server configuration are in {host.site.state}\n"
    assert good.stdout == made
    file.write_text(BROKEN)
    assert host.libra(*words, str(file)).returncode == REFUSED
    host.site.kept_config.write_text("{}")
    later = host.libra(*words, str(file), "--monitor", "8222")
    assert later.returncode == 0
    assert later.stdout == made
    consequence = "node a goes on with the config it has"
    assert f"libra: {file} is not taken over (1 error): {consequence}\n" in later.stderr
    assert 'http: "127.0.0.1:8222"' in host.site.server_config.read_text()
    file.write_text(GOOD.replace("{a:", "{other:"))
    other = host.libra(*words, str(file))
    assert other.returncode == REFUSED
    assert "no node 'a'" in other.stderr
    file.unlink()
    assert host.libra(*words, str(file)).returncode == 0
    assert host.libra(*words[:3], "--config", str(file)).returncode == REFUSED


def test_the_config_that_a_node_has_is_the_one_that_health_kept(host: Host) -> None:
    edge = Edge("a", "health", host.site.nats, host.site.state, host.site.run)
    assert Settings(edge).kept_config == host.site.kept_config


def test_only_the_stage_of_files_is_lenient(host: Host) -> None:
    done = host.libra("init", "--lenient", "--config", host.write(GOOD))
    assert done.returncode == 2
    assert "only with --stage files" in done.stderr


def test_files_that_are_as_they_should_be_are_not_written_again(host: Host) -> None:
    """A full disk is then no reason to stop."""
    words = ("init", "--stage", "files", "--monitor", "8222")
    assert host.libra(*words).returncode == 0
    files = [host.site.server_config, host.site.state / HEALTH.name]
    before = [each.stat().st_ino for each in files]
    assert host.libra(*words).returncode == 0
    assert [each.stat().st_ino for each in files] == before


def test_a_server_configuration_that_changed_is_told(host: Host) -> None:
    words = ("init", "--stage", "files", "--monitor")
    assert host.libra(*words, "8222").stderr == ""
    changed = host.libra(*words, "8223")
    assert changed.stderr == RESTART.format(host.site.server_config)
    assert changed.stdout == f"node a: keys and server configuration are in {host.site.state}\n"
    assert host.libra(*words, "8223").stderr == ""


def test_the_config_stage_has_the_log_tell_of_errors(host: Host, up: Up) -> None:
    assert up.process.poll() is None
    assert host.libra("init", "--config", host.write(GOOD)).returncode == 0
    words = ("init", "--stage", "config", "--wait", "30", "--config", host.write(BROKEN))
    refused = host.libra(*words)
    assert refused.returncode == REFUSED
    assert ":6:5: services.web.backend: " in refused.stderr
    assert refused.stderr.endswith("1 error; nothing changed\n")
    told = host.libra("events", "--type", "config.rejected")
    assert "libra init" in told.stdout
    assert "services.web.backend" in told.stdout
