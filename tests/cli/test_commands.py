"""The commands as an operator runs them: real processes, a real nats-server."""

import asyncio
import json
import os
import re
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from libra_cli import watchdog
from libra_cli.exits import MISSING, REFUSED, UNREACHABLE
from libra_cli.strays import start_time
from libra_cli.testing import Host, Up
from libra_runtime import VERSION
from libra_runtime.nats_journal import open_journal
from libra_runtime.nats_server import free_port
from libra_runtime.session import open_session
from libra_runtime.stamp import draft
from libra_runtime.streams import Limits, init_streams
from libra_runtime.yaml_config import read_config
from libra_schemas.events import BackendState, TableChange, TableRecord
from libra_schemas.events.writer import OperationResult
from libra_schemas.nats import ADMIN
from libra_schemas.operations import (
    AddDestination,
    AddService,
    DeleteDestination,
    Operation,
    apply_operations,
    to_json,
)
from libra_schemas.table import (
    Destination,
    Service,
    ServiceKey,
    ServiceTable,
    digest,
    key_to_json,
    table_to_json,
)
from libra_schemas.target import target_of

GOOD = """\
version: 1
nodes: {a: {address: 10.0.0.2}}
services:
  web:
    address: 192.0.2.10:80
    backends:
      w1: {address: 10.0.1.11:80, weight: 3}
"""
PAIR = f"""{GOOD}\
      w2: 10.0.1.12:80
    scheduler: wrr
"""
BAD = GOOD.replace("backends", "backend").replace("192.0.2.10:80", "nonsense")
USAGE = 2
WEB = ServiceKey.of("tcp", "192.0.2.10", 80)
W1, W2 = Destination("10.0.1.11", 80, weight=3), Destination("10.0.1.12", 80)


def test_check_names_every_error_with_its_place(host: Host) -> None:
    file = host.write(BAD)
    done = host.libra("check", file)
    assert done.returncode == REFUSED
    assert f"{file}:5:14: services.web.address: " in done.stderr
    assert f"{file}:6:5: services.web.backend: " in done.stderr
    assert "2 errors" in done.stderr
    problems = json.loads(host.libra("check", file, "--json").stdout)["problems"]
    assert [each["line"] for each in problems] == [5, 6]


def test_check_accepts_a_good_config(host: Host) -> None:
    done = host.libra("check", host.write(GOOD), "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["backends"] == 1


def test_init_twice_leaves_the_keys_as_they_were(host: Host) -> None:
    assert host.libra("init").returncode == 0
    seeds = {path.name: path.read_bytes() for path in host.site.seeds.iterdir()}
    assert "ipvs-writer.seed" in seeds
    assert all(path.stat().st_mode & 0o077 == 0 for path in host.site.seeds.iterdir())
    config = host.site.server_config.read_text()
    done = host.libra("init")
    assert done.returncode == 0
    assert "no nats-server answers" in done.stdout
    assert {path.name: path.read_bytes() for path in host.site.seeds.iterdir()} == seeds
    assert host.site.server_config.read_text() == config


def test_without_a_node_that_runs_the_sentence_says_what_to_do(host: Host) -> None:
    for words in (("status",), ("apply", host.write(GOOD)), ("events",), ("replay",)):
        done = host.libra(*words)
        assert done.returncode == UNREACHABLE
        assert "`libra up`" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.skipif(Path("/proc/net/ip_vs").exists(), reason="this kernel offers IPVS")
def test_up_without_ipvs_says_in_one_sentence_what_is_missing(host: Host) -> None:
    done = host.libra("up", "--config", host.write(GOOD), "--metrics", "0")
    assert done.returncode == MISSING
    assert "no IPVS" in done.stderr
    assert "modprobe ip_vs" in done.stderr
    assert not host.site.store.exists()


def test_up_with_a_bad_config_starts_nothing(host: Host) -> None:
    done = host.libra("up", "--config", host.write(BAD), "--only", "console")
    assert done.returncode == REFUSED
    assert "2 errors" in done.stderr
    assert not host.site.run.exists()


def test_up_with_the_wrong_node_names_the_right_ones(host: Host) -> None:
    done = host.libra("up", "--config", host.write(GOOD), "--node", "c")
    assert done.returncode == REFUSED
    assert "no node 'c': name one it has with --node or LIBRA_NODE, a\n" in done.stderr


def test_up_names_who_has_the_port(host: Host) -> None:
    with socket.create_server(host.site.endpoint):
        done = host.libra("up", "--only", "console", "--metrics", "0")
    assert done.returncode == MISSING
    assert (
        f"is taken by {Path('/proc/self/comm').read_text().strip()} (process {os.getpid()})"
        in done.stderr
    )


def test_up_refuses_an_old_nats_server(host: Host) -> None:
    old = Path(host.write("#!/bin/sh\necho nats-server: v2.10.0\n", "nats-server"))
    old.chmod(0o755)
    done = host.libra_with({"LIBRA_NATS_SERVER": str(old)}, "up", "--only", "console")
    assert done.returncode == MISSING
    assert "too old" in done.stderr


def test_a_second_up_of_the_same_node_is_refused(host: Host, up: Up) -> None:
    done = host.libra("up", "--only", "console", "--metrics", "0")
    assert done.returncode == REFUSED
    assert f"up already (process {up.process.pid})" in done.stderr


def test_a_lock_file_that_a_refused_up_left_holds_nobody(host: Host) -> None:
    with socket.create_server(host.site.endpoint):
        assert host.libra("up", "--only", "console", "--metrics", "0").returncode == MISSING
    (host.site.run / "up.lock").write_text(f"{os.getpid()}\n")
    second = Up(host.start("up", "--only", "console", "--metrics", "0"), [])
    try:
        second.read_until("node a is up")
        held = (host.site.run / "up.lock").read_text()
    finally:
        assert second.end() == 0
    assert held == f"{second.process.pid}\n"


def test_a_config_is_applied_shown_and_kept_over_a_restart(host: Host, up: Up) -> None:
    file = host.write(GOOD)
    assert "revision 1 is in force" in host.libra("apply", file, "-m", "first").stdout
    assert "unchanged: revision 1" in host.libra("apply", file).stdout
    host.write(GOOD.replace("weight: 3", "weight: 5"))
    assert json.loads(host.libra("apply", file, "--json").stdout)["number"] == 2
    host.write(BAD)
    assert host.libra("apply", file).returncode == REFUSED
    shown = json.loads(host.libra("status", "--json").stdout)
    assert shown["config"]["number"] == 2
    assert shown["services"]["web"]["backends"]["w1"]["weight"] == 5
    assert "revision 2 by" in host.libra("status").stdout
    assert up.end() == 0
    host.write(GOOD)
    second = Up(host.start("up", "--only", "console", "--metrics", "0", "--config", file), [])
    try:
        line = second.read_until("node a is up")
        assert "with revision 3" in line
    finally:
        assert second.end() == 0


def test_an_operators_act_is_in_force_and_in_the_log(host: Host, up: Up) -> None:
    assert up.process.poll() is None
    host.libra("apply", host.write(GOOD))
    assert "backend.web.w1 is draining" in host.libra("drain", "backend.web.w1", "-m", "hm").stdout
    assert "did you mean" in host.libra("maint", "backend.web.w2").stderr
    assert host.libra("weight", "service.web", "7").returncode == REFUSED
    shown = json.loads(host.libra("status", "--json").stdout)
    assert shown["services"]["web"]["backends"]["w1"]["mode"] == "drain"
    said = host.libra("events", "--type", "operator.*").stdout
    assert re.search(r"operator.drain +\S+ set backend web w1 to drain: hm", said)


def test_a_type_or_a_moment_that_is_not_there_is_one_clear_error(host: Host, up: Up) -> None:
    assert up.process.poll() is None
    done = host.libra("events", "--type", "nonsense")
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert "is no event type" in done.stderr
    done = host.libra("events", "--follow", "--until", "1")
    assert (done.returncode, done.stdout) == (USAGE, "")
    beyond = (("replay", "--at"), ("events", "--since"), ("events", "--until"))
    for words in ((*each, "999999") for each in beyond):
        done = host.libra(*words)
        assert (done.returncode, done.stdout) == (REFUSED, "")
        assert re.fullmatch(
            r"libra: the log holds no sequence 999999: its last is \d+\n", done.stderr
        )


def test_the_release_is_told(host: Host) -> None:
    assert host.libra("--version").stdout == f"libra {VERSION}\n"


def test_a_checked_file_is_summed_up(host: Host) -> None:
    done = host.libra("check", host.write(GOOD))
    assert done.returncode == 0
    assert done.stdout.endswith(" is valid: 1 node, 0 instances, 1 service, 1 backend, 0 sinks\n")
    refused = host.libra("check", host.write(BAD))
    assert refused.returncode == REFUSED
    assert refused.stderr.endswith("2 errors\n")


def test_an_address_that_nobody_brings_is_noted(host: Host) -> None:
    instance = "interface: lo, vrid: 5, addresses: [192.0.2.99/24]"
    done = host.libra("check", host.write(f"{GOOD}\ninstances: {{front: {{{instance}}}}}\n"))
    assert done.returncode == 0
    assert re.search(
        r"libra\.yaml:5:14: note: services\.web\.address: no instance owns", done.stderr
    )


def test_a_span_of_the_log_has_both_its_ends(host: Host, up: Up) -> None:
    assert up.process.poll() is None
    host.libra("apply", host.write(GOOD))
    host.libra("drain", "backend.web.w1")
    shown = [json.loads(each) for each in host.libra("events", "--json").stdout.splitlines()]
    acted = next(each for each in shown if each["type"] == "operator.drain")
    span = ("--since", "2", "--until", str(acted["sequence"]))
    lines = host.libra("events", "--json", *span).stdout.splitlines()
    sequences = [json.loads(line)["sequence"] for line in lines]
    everything = [each["sequence"] for each in shown]
    assert sequences == [each for each in everything if 2 <= each <= acted["sequence"]]
    earlier = host.libra("events", "--json", "--until", acted["stored"]).stdout.splitlines()
    assert json.loads(earlier[-1])["sequence"] == acted["sequence"]


def test_followed_events_are_shown_once(host: Host, up: Up) -> None:
    assert up.process.poll() is None
    host.libra("apply", host.write(GOOD))
    follower = host.start(
        "events", "--follow", "--json", "--type", "operator.*", "--type", "config.*"
    )
    lines: list[dict[str, object]] = []
    enough = threading.Event()

    def read() -> None:
        assert follower.stdout is not None
        for line in follower.stdout:
            lines.append(json.loads(line))
            if len(lines) == 3:
                enough.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    host.libra("drain", "backend.web.w1")
    host.libra("ready", "backend.web.w1")
    assert enough.wait(30)
    follower.send_signal(signal.SIGINT)
    follower.wait(30)
    reader.join(30)
    assert follower.stdout is not None
    follower.stdout.close()
    assert [each["type"] for each in lines] == [
        "config.applied",
        "operator.drain",
        "operator.ready",
    ]
    assert len({each["id"] for each in lines}) == 3


def test_a_killed_process_is_started_again(host: Host, up: Up) -> None:
    processes = json.loads((host.site.run / "up.processes").read_text())
    os.kill(processes["console"][0], signal.SIGKILL)
    up.read_until("console was ended by SIGKILL; again in 0.1 s")
    os.kill(processes["nats-server"][0], signal.SIGKILL)
    up.read_until("nats-server was ended by SIGKILL")
    asyncio.run(healthy(host))
    assert json.loads(host.libra("status", "--json").stdout)["processes"]["console"]["epoch"] == 2


def test_a_hung_process_is_named_killed_and_started_again(host: Host) -> None:
    words = ("up", "--only", "console", "--metrics", str(free_port()))
    up = Up(host.start(*words), [])
    try:
        up.read_until("node a is up")
        processes = json.loads((host.site.run / "up.processes").read_text())
        hung = processes["console"][0]
        asyncio.run(healthy(host))
        time.sleep(3 * watchdog.LOOK)  # the watchdog must have heard of it: it tells nobody
        os.kill(hung, signal.SIGSTOP)
        up.read_until(f"console (process {hung}) lives but does not answer; killing it", 180)
        up.read_until("console was ended by SIGKILL; again in")
        asyncio.run(healthy(host))
    finally:
        assert up.end() == 0


def test_a_bad_config_is_refused_told_in_the_log_and_changes_nothing(host: Host, up: Up) -> None:
    assert up.process.poll() is None
    host.libra("apply", host.write(GOOD))
    file = host.write(BAD)
    for _ in range(2):
        done = host.libra("apply", file, "--author", "eve")
        assert (done.returncode, done.stdout) == (REFUSED, "")
        assert done.stderr.endswith("2 errors; nothing changed\n")
    host.write("version: 1\nnodes: [\n")
    assert host.libra("apply", file).returncode == REFUSED
    events = host.libra("events", "--json", "--type", "config.rejected").stdout.splitlines()
    told = [json.loads(line)["data"] for line in events]
    assert [len(each["problems"]) for each in told] == [2, 2, 1]
    assert told[0]["author"].startswith("eve")
    assert told[0]["problems"][0]["file"] == file
    assert told[0]["problems"][0]["line"] == 5
    shown = host.libra("status").stdout
    assert "a config by" in shown
    assert f"{file}:3:1: no YAML" in shown
    assert "revision 1 by" in shown


def test_a_bad_config_without_a_node_is_named_all_the_same(host: Host) -> None:
    done = host.libra("apply", host.write(BAD))
    assert done.returncode == REFUSED
    assert "2 errors; nothing changed\nlibra: the log does not tell of this: " in done.stderr


async def healthy(host: Host) -> None:
    """Wait until the console is connected again; say what it said instead."""
    deadline = asyncio.get_running_loop().time() + 30
    while True:
        done = await asyncio.to_thread(host.libra, "status", "--json")
        if done.returncode == 0 and json.loads(done.stdout)["journal"]["connected"]:
            return
        assert asyncio.get_running_loop().time() < deadline, (done.stdout, done.stderr)


def test_a_killed_supervisor_leaves_nothing_in_the_way(host: Host, up: Up) -> None:
    left = json.loads((host.site.run / "up.processes").read_text())
    up.process.kill()
    up.process.communicate()
    again = Up(host.start("up", "--only", "console", "--metrics", "0"), [])
    try:
        again.read_until("node a is up")
        assert [start_time(pid) for pid, _ in left.values()] == [0, 0]
    finally:
        assert again.end(signal.SIGTERM) == 0
    assert "Traceback" not in "".join(again.said)


async def write_history(host: Host) -> list[int]:
    """Publish what a writer would: a service made, changed, recorded, changed again."""
    journal = await open_journal(host.edge("ipvs-writer"))
    table: dict[ServiceKey, ServiceTable] = {}

    async def change(*operations: Operation) -> int:
        nonlocal table
        table = apply_operations(table, operations)
        results = tuple(OperationResult(operation=to_json(each)) for each in operations)
        data = TableChange(
            service="web",
            key=key_to_json(WEB),
            operations=results,
            digest=digest(table[WEB]),
            present=True,
        )
        return await journal.append(draft("table.changed", ("web",), data))

    first = await change(AddService(Service(WEB, "wrr")), AddDestination(WEB, W1))
    second = await change(AddDestination(WEB, W2))
    record = TableRecord(
        service="web", why="periodic", table=table_to_json(table[WEB]), digest=digest(table[WEB])
    )
    await journal.append(draft("table.recorded", ("web",), record))
    third = await change(DeleteDestination(WEB, W1.address, W1.port))
    await journal.close()
    return [first, second, third]


def test_replay_prints_what_the_kernel_held_at_any_moment(host: Host, up: Up) -> None:
    assert up.process.poll() is None
    sequences = asyncio.run(write_history(host))
    head = "-A -t 192.0.2.10:80 -s wrr\n"
    w1 = "-a -t 192.0.2.10:80 -r 10.0.1.11:80 -m -w 3\n"
    w2 = "-a -t 192.0.2.10:80 -r 10.0.1.12:80 -m -w 1\n"
    held = [host.libra("replay", "--at", str(sequence)).stdout for sequence in sequences]
    assert held == [head + w1, head + w1 + w2, head + w2]
    now = host.libra("replay", "--format", "ipvsadm")
    assert (now.stdout, now.stderr) == (head + w2, "")
    assert host.libra("replay", "--at", "1m").stderr.startswith("libra: the log begins at")
    assert host.libra("replay", "mail").stdout == ""
    shown = json.loads(host.libra("replay", "web", "--format", "json").stdout)
    assert shown["services"][0]["name"] == "web"
    assert "10.0.1.12:80  nat  weight 1" in host.libra("replay", "--format", "table").stdout
    listed = host.libra("events", "--json", "--type", "table.changed").stdout.splitlines()
    assert [json.loads(line)["sequence"] for line in listed] == sequences


async def judge(host: Host, backend: str, *, up: bool) -> int:
    """Publish what health would: a verdict on a backend of web in GOOD."""
    config, _ = read_config(host.directory / "libra.yaml")
    service = config.services["web"]
    chosen = service.backends[backend]
    data = BackendState(
        service="web",
        backend=backend,
        address=chosen.address.address,
        port=chosen.address.port,
        protocol="tcp",
        target=target_of(service, chosen),
        up=up,
    )
    journal = await open_journal(host.edge("health"))
    kind = "backend.up" if up else "backend.down"
    sequence = await journal.append(draft(kind, ("web", backend), data))
    await journal.close()
    return sequence


def test_replay_desired_prints_what_was_wanted_at_any_moment(host: Host, up: Up) -> None:
    assert up.process.poll() is None
    refused = host.libra("replay", "--desired")
    assert (refused.returncode, refused.stdout) == (REFUSED, "")
    assert "no config was in force" in refused.stderr
    host.libra("apply", host.write(PAIR))
    held = asyncio.run(write_history(host))
    head = "-A -t 192.0.2.10:80 -s wrr\n"
    w1 = "-a -t 192.0.2.10:80 -r 10.0.1.11:80 -m -w 3\n"
    w2 = "-a -t 192.0.2.10:80 -r 10.0.1.12:80 -m -w 1\n"
    as_found = [host.libra("replay", "--desired", "--at", str(each)).stdout for each in held]
    assert as_found == [head + w1, head + w1 + w2, head + w2]
    judged = asyncio.run(judge(host, "w1", up=True))
    assert host.libra("replay").stdout == head + w2
    assert host.libra("replay", "--desired").stdout == head + w1 + w2
    host.libra("drain", "backend.web.w1")
    asyncio.run(judge(host, "w2", up=False))
    drained = w1.replace("-w 3", "-w 0")
    assert host.libra("replay", "--desired").stdout == head + drained
    before = host.libra("replay", "--desired", "--at", str(judged), "web")
    assert (before.stdout, before.stderr) == (head + w1 + w2, "")
    assert host.libra("replay", "--desired", "mail").stdout == ""
    shown = json.loads(host.libra("replay", "--desired", "--json").stdout)
    assert [each["weight"] for each in shown["services"][0]["destinations"]] == [0]
    assert "weight 0" in host.libra("replay", "--desired", "--format", "table").stdout


def test_replay_reaches_what_the_log_dropped_but_the_registers_hold(host: Host, up: Up) -> None:
    assert up.process.poll() is None
    host.libra("apply", host.write(PAIR))
    asyncio.run(write_history(host))
    asyncio.run(judge(host, "w1", up=True))
    told = [host.libra("replay").stdout, host.libra("replay", "--desired").stdout]
    asyncio.run(shorten(host, 2))
    oldest = host.libra("events", "--json").stdout.splitlines()
    assert len(oldest) == 2
    assert [host.libra("replay").stdout, host.libra("replay", "--desired").stdout] == told
    assert "-r 10.0.1.11:80" in told[1]


async def shorten(host: Host, messages: int) -> None:
    """Let the log drop all but its newest messages."""
    session = await open_session(host.edge(ADMIN), lambda _: None)
    try:
        await init_streams(session, host.site.node, Limits(size=1 << 26, messages=messages))
    finally:
        await session.close()
