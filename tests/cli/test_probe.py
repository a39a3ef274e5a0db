"""`libra check --probe` and `libra probe` against real servers on loopback."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from libra_cli.exits import DONE, MISSING, REFUSED, UNREACHABLE
from libra_cli.testing import Host, Up

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Trick: \x1b[2J\r\n\r\nhi"
SORRY = b"HTTP/1.1 503 Sorry\r\nContent-Length: 0\r\n\r\n"
USAGE = 2

Talk = Callable[[socket.socket], None]


def say(answer: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        if connection.recv(65536):
            connection.sendall(answer)

    return talk


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@contextmanager
def served(talk: Talk) -> Iterator[str]:
    """Serve on loopback, one connection after the other, until the test ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(60)


@contextmanager
def refusing() -> Iterator[str]:
    """Hold a port on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def config(check: str, **backends: str) -> str:
    lines = [f"      {name}: {address}" for name, address in backends.items()]
    return "\n".join(
        [
            "version: 1",
            "nodes: {a: {address: 10.0.0.2}}",
            "services:",
            "  web:",
            "    address: 192.0.2.10:80",
            f"    check: {check}",
            "    backends:",
            *lines,
            "",
        ]
    )


@pytest.fixture
def farm(host: Host) -> Iterator[str]:
    """Write a config of four backends: one is up, one refuses, one says 503, one says nothing."""
    with ExitStack() as stack:
        up = stack.enter_context(served(say(OK)))
        sorry = stack.enter_context(served(say(SORRY)))
        mute = stack.enter_context(served(silent))
        gone = stack.enter_context(refusing())
        check = "{http: {path: /healthz}, timeout: 300ms}"
        yield host.write(config(check, up=up, gone=gone, sorry=sorry, mute=mute))


def test_every_check_is_run_once_and_stands_in_a_table(host: Host, farm: str) -> None:
    done = host.libra("check", farm, "--probe")
    head, *rows, total = done.stdout.splitlines()
    assert "is valid: " in head
    cells = [re.split(r"  +", row) for row in rows]
    assert [(row[1], row[3]) for row in cells] == [
        ("up", "passed"), ("gone", "failed"), ("sorry", "failed"), ("mute", "failed"),
    ]  # fmt: skip
    assert [row[-1] for row in cells[1:]] == [
        "refused: ECONNREFUSED",
        "status: status 503, wanted 200-299",
        "timeout: no answer in time",
    ]
    assert all(re.fullmatch(r"\d+\.\d ms", row[4]) for row in cells)
    assert total == "1 passed, 3 failed"
    assert (done.returncode, done.stderr) == (REFUSED, "")


def test_scripts_get_one_json_value(host: Host, farm: str) -> None:
    done = host.libra("check", farm, "--probe", "--json")
    told = json.loads(done.stdout)
    assert told["valid"]
    assert [(row["backend"], row["reason"]) for row in told["probes"]] == [
        ("up", ""), ("gone", "refused"), ("sorry", "status"), ("mute", "timeout"),
    ]  # fmt: skip
    assert told["probes"][0]["check"].endswith("/healthz")
    assert 300 <= told["probes"][3]["ms"] < 60000


def test_where_all_is_well_the_status_says_so(host: Host) -> None:
    with served(silent) as target:
        file = host.write(config("tcp", w1=target))
        done = host.libra("check", file, "--probe")
    assert (done.returncode, done.stderr) == (DONE, "")
    assert done.stdout.endswith("1 passed\n")


def test_what_cannot_be_run_here_is_told_with_what_mends_it(host: Host) -> None:
    bound = "{tcp: {}, bind: 192.0.2.77}"
    done = host.libra("check", host.write(config(bound, w1="192.0.2.99:80")), "--probe")
    assert done.returncode == MISSING
    assert done.stdout.endswith("1 could not be run here\n")
    assert done.stderr == (
        "libra: tcp 192.0.2.99:80 could not be run here: ports: EADDRNOTAVAIL; "
        "this node has not the address 192.0.2.77 (`bind`), or no free port left\n"
    )


def test_the_dialogue_of_what_cannot_be_run_here_ends_with_what_mends_it(host: Host) -> None:
    file = host.write(config("{tcp: {}, bind: 192.0.2.77}", w1="192.0.2.99:80"))
    done = host.libra("probe", "web/w1", "--config", file)
    assert (done.returncode, done.stderr) == (MISSING, "")
    assert done.stdout.count("could not be run here") == 1
    assert "EADDRNOTAVAIL; this node has not the address 192.0.2.77 (`bind`)" in done.stdout


def test_an_interface_that_is_not_there_is_named(host: Host) -> None:
    lacking = "{tcp: {}, interface: eth97}"
    done = host.libra("check", host.write(config(lacking, w1="127.0.0.1:80")), "--probe")
    assert done.returncode == MISSING
    assert done.stderr.endswith("ENODEV; this node has no interface eth97 (`interface`)\n")


@pytest.mark.parametrize(
    ("require", "status", "told"),
    [
        ("any", 0, "1 passed, 1 failed, 1 of them made up for by another check (require: any)"),
        ("all", REFUSED, "1 passed, 1 failed"),
    ],
)
def test_a_check_that_another_one_makes_up_for_is_no_failure(
    host: Host, require: str, status: int, told: str
) -> None:
    with served(say(OK)) as target, refusing() as gone:
        checks = f"[http, {{tcp: {{}}, port: {gone.partition(':')[2]}}}]"
        text = config(checks, w1=target).replace(
            "    backends:", f"    require: {require}\n    backends:"
        )
        done = host.libra("check", host.write(text), "--probe")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (status, told)


def test_a_probe_is_run_once_however_many_services_use_it(host: Host) -> None:
    met: list[None] = []

    def count(_: socket.socket) -> None:
        met.append(None)

    with served(count) as target:
        text = config("tcp", w1=target)
        twice = text + text[text.index("  web:") :].replace("web", "two").replace("2.10", "2.11")
        done = host.libra("check", host.write(twice), "--probe")
    assert done.stdout.endswith("2 passed\n")
    assert len(met) == 1


def test_more_checks_than_run_at_a_time_are_all_run(host: Host) -> None:
    with served(silent) as target, refusing() as gone:
        address, _, port = target.partition(":")
        paths = {f"w{n}": f"127.0.{n}.1:{gone.partition(':')[2]}" for n in range(250)}
        done = host.libra("check", host.write(config("tcp", up=f"{address}:{port}", **paths)),
                          "--probe")  # fmt: skip
    assert done.stdout.splitlines()[-1] == "1 passed, 250 failed"


def test_a_dialogue_is_shown_with_times_and_nothing_that_a_terminal_obeys(
    host: Host, farm: str
) -> None:
    done = host.libra("probe", "web/up", "--config", farm)
    assert (done.returncode, done.stderr) == (DONE, "")
    head, *lines, verdict = done.stdout.splitlines()
    assert re.fullmatch(r"http 127\.0\.0\.1:\d+/healthz", head)
    assert re.fullmatch(r" +\+0\.0 ms  connect 127\.0\.0\.1:\d+", lines[0])
    said = [re.sub(r"^ +(\+[\d.]+ ms)?  ", "", line) for line in lines]
    assert said[1:3] == ["connected", "> GET /healthz HTTP/1.1"]
    assert "< HTTP/1.1 200 OK" in said
    assert r"< X-Trick: \x1b[2J" in said
    assert re.fullmatch(r"  passed after \d+\.\d ms", verdict)
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("backend", "last"),
    [
        ("gone", r"  failed after [\d.]+ ms: refused: ECONNREFUSED"),
        ("sorry", r"  failed after [\d.]+ ms: status: status 503, wanted 200-299"),
        ("mute", r"  failed after 3\d\d\.\d ms: timeout: no answer in time"),
    ],
)
def test_a_dialogue_ends_with_why_it_failed(host: Host, farm: str, backend: str, last: str) -> None:
    done = host.libra("probe", f"web/{backend}", "--config", farm)
    assert re.fullmatch(last, done.stdout.splitlines()[-1])
    assert (done.returncode, done.stderr) == (REFUSED, "")


def test_a_dialogue_for_scripts_is_one_list(host: Host, farm: str) -> None:
    (row,) = json.loads(host.libra("probe", "web/up", "--config", farm, "--json").stdout)
    assert (row["result"], row["backend"]) == ("passed", "up")
    assert [each["line"] for each in row["dialogue"]][1] == "connected"


def test_a_secret_is_shown_nowhere_not_where_it_comes_back_either(host: Host) -> None:
    host.write("hunter2\n", "token")
    echo = b"HTTP/1.1 403 No\r\nX-Heard: hunter2\r\nContent-Length: 0\r\n\r\n"
    with served(say(echo)) as target:
        check = f"{{http: {{headers_files: {{X-Token: {host.directory}/token}}}}}}"
        file = host.write(config(check, w1=target))
        texts = [
            host.libra("probe", "web/w1", "--config", file, *form) for form in ((), ["--json"])
        ]
    for done in texts:
        assert "> X-Token: (secret)" in done.stdout
        assert "< X-Heard: (secret)" in done.stdout
        assert "8 bytes read" in done.stdout
        assert "hunter2" not in done.stdout + done.stderr


def test_a_handshake_is_shown(host: Host) -> None:
    made = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "42"),
        *("-subj", "/CN=a", "-addext", "subjectAltName=DNS:web.example"),
        *("-keyout", "key.pem", "-out", "cert.pem"),
    ]
    subprocess.run(made, cwd=host.directory, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(host.directory / "cert.pem", host.directory / "key.pem")

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            say(OK)(secured)

    with served(talk) as target:
        tls = f"{{name: web.example, ca_file: {host.directory}/cert.pem}}"
        file = host.write(config(f"{{https: {{tls: {tls}}}}}", w1=target))
        done = host.libra("probe", "web/w1", "--config", file)
    assert done.returncode == DONE
    assert (
        f"TLS handshake for web.example, certificate held against {host.directory}" in done.stdout
    )
    assert re.search(r"TLS 1\.[23], certificate valid for 41 days", done.stdout)


def test_every_check_of_a_backend_has_its_dialogue(host: Host) -> None:
    with served(say(OK)) as target:
        check = "[{tcp: {send: 'x', expect: 'lo+ng'}}, tcp]"
        done = host.libra("probe", "web/w1", "--config", host.write(config(check, w1=target)))
    assert "look for /lo+ng/ in " in done.stdout
    assert "not found" in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("tcp ")] == [
        f"tcp {target}", f"tcp {target}",
    ]  # fmt: skip
    assert done.returncode == REFUSED


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("web/w9",), REFUSED, "libra: service web has no backend 'w9': it has gone, mute, "),
        (("dns/d1",), REFUSED, "libra: the config has no service 'dns': it has web"),
        (("web/up", "--node", "x"), REFUSED, "libra: the config has no node 'x'"),
        (("web",), USAGE, "expected SERVICE/BACKEND, such as web/w1"),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence(
    host: Host, farm: str, words: tuple[str, ...], status: int, told: str
) -> None:
    done = host.libra("probe", *words, "--config", farm)
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_node_without_probe_means_nothing(host: Host, farm: str) -> None:
    done = host.libra("check", farm, "--node", "a")
    assert done.returncode == USAGE
    assert "only with --probe" in done.stderr


def test_a_config_with_errors_is_not_probed(host: Host) -> None:
    done = host.libra("check", host.write(config("tcp", w1="nonsense")), "--probe")
    assert (done.returncode, done.stdout) == (REFUSED, "")
    assert "1 error" in done.stderr


def test_without_a_console_a_file_may_be_named(host: Host) -> None:
    done = host.libra("probe", "web/w1")
    assert done.returncode == UNREACHABLE
    assert done.stderr.endswith("or name a file with --config FILE, which needs no console\n")


def test_the_config_in_force_is_probed_where_no_file_is_named(up: Up, host: Host) -> None:
    assert up.said
    with served(silent) as target:
        assert host.libra("apply", host.write(config("tcp", w1=target))).returncode == DONE
        done = host.libra("probe", "web/w1")
    assert (done.returncode, done.stderr) == (DONE, "")
    assert f"connect {target}" in done.stdout


def test_without_the_health_service_one_sentence_says_what_to_install(host: Host) -> None:
    bare = host.directory / "bin"
    bare.mkdir()
    (bare / "python").symlink_to(sys.executable)
    script = "import sys; sys.executable = sys.argv.pop(1); from libra_cli.app import main; main()"
    file = host.write(config("tcp", w1="127.0.0.1:80"))
    done = subprocess.run(
        [sys.executable, "-c", script, str(bare / "python"), "check", file, "--probe"],
        env=host.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == MISSING
    assert re.match(
        r"libra: .*/bin/libra-health, .* is not there: install libra-health", done.stderr
    )
    assert done.stderr.count("\n") == 1


def test_the_program_of_the_service_goes_by_the_config_it_keeps(host: Host, farm: str) -> None:
    program = [str(Path(sys.executable).with_name("libra-health")), "probe"]
    environ = os.environ | host.environ

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*program, *words], env=environ, capture_output=True, text=True, check=False
        )

    lacking = run()
    assert lacking.returncode == REFUSED
    assert "health.config.json is not there yet" in json.loads(lacking.stdout)["error"]
    given = run("--config", farm, "--backend", "web/up")
    assert json.loads(given.stdout)["result"] == "passed"
    assert given.returncode == DONE
