"""`docker-compose up` brings up a real director: traffic, death, news, restarts, one log."""

import json
import os
import signal
import subprocess
import time
from collections import Counter

import pytest
from tests.compose.deployment import (
    DR,
    FACTS,
    KEPT,
    NAT,
    SERVICES,
    Deployment,
    answer,
    docker,
    documented_rule,
)
from tests.compose.listener import Listener

from libra_lab.commands import run
from libra_lab.probe import Probe
from libra_lab.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

LEASE = 2.0
"""Seconds an address outlives its machine (design §6)."""


def test_nat_passes_once_the_documented_rule_is_there(director: Deployment) -> None:
    """Dockerd sets the policy of FORWARD to DROP; requests pass, answers do not.

    The writer is unhealthy until the rule is there, and names it; so does its log.
    """
    wait_until(lambda: len(director.backends("192.0.2.10:80")) == 2, "two backends", 60)
    assert "-P FORWARD DROP" in run(["iptables", "-S", "FORWARD"])
    assert answer(director.client, NAT, 2.0) == ""
    rule = documented_rule()
    said = f"run `{' '.join(rule)}` on the host."
    wait_until(lambda: said in director.complaint("ipvs-writer"), "the rule is named", 60)
    assert said in director.libra("status")
    run(rule)
    director.await_answer(NAT)
    assert Counter(director.who(NAT, 8)) == {"n1": 4, "n2": 4}
    director.await_well("ipvs-writer")
    logged = subprocess.run(
        ["docker", "logs", director.container("ipvs-writer")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
    ).stdout  # fmt: skip
    assert logged.count(said) == 1


def test_every_container_comes_up_and_says_that_it_is_well(director: Deployment) -> None:
    assert director.await_well(*KEPT) < 120
    memory = docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}")
    FACTS.extend(f"memory: {line}" for line in sorted(memory.splitlines()))


def test_dr_is_balanced_by_the_kernel(director: Deployment) -> None:
    wait_until(lambda: len(director.backends("192.0.2.10:8080")) == 3, "three backends", 60)
    assert Counter(director.who(DR, 9)) == {"d1": 3, "d2": 3, "d3": 3}


def test_replay_says_what_the_kernel_holds(director: Deployment) -> None:
    assert director.libra("replay", "--format", "ipvsadm").splitlines() == director.ipvsadm()
    assert len(director.ipvsadm()) == 7


def test_a_dead_backend_and_a_restarted_vrrp_are_heard_of_once_and_told(
    director: Deployment,
) -> None:
    subjects = ("backend.down.>", "vrrp.master.>", "conn.sync.>")
    wait_until(lambda: len(director.backends("192.0.2.10:8080")) == 3, "three backends", 60)
    first = director.events()[-1]["sequence"]
    with Listener(director.seed(), subjects) as listener:
        killed = time.monotonic()
        director.servers["d3"].kill()
        wait_until(lambda: len(director.backends("192.0.2.10:8080")) == 2, "d3 is out", 30)
        FACTS.append(f"killed backend out of the table: {time.monotonic() - killed:.1f} s")
        assert Counter(director.who(DR, 8)) == {"d1": 4, "d2": 4}
        director.ops.wait_for_hook("backend.down", "dr/d3", killed)
        director.ops.wait_for_mail(("d3 of dr", "is down"), killed)
        director.compose("restart", "vrrp")
        director.await_answer(DR)
        wanted = {"backend.down.a.dr.d3", "vrrp.master.a.front", "conn.sync.a.all"}
        wait_until(lambda: wanted <= {subject for subject, _ in listener.heard}, "all three", 60)
        last = director.events()[-1]["sequence"]
    logged = director.events("backend.down", "vrrp.master", "conn.sync")
    told = [each["sequence"] for each in logged if first < each["sequence"] <= last]
    assert [sequence for _, sequence in listener.heard if sequence <= last] == told
    heard = Counter(subject for subject, _ in listener.heard)
    assert heard["backend.down.a.dr.d3"] == heard["vrrp.master.a.front"] == 1
    FACTS.append(f"heard: {dict(heard)}")
    assert director.ops.repeated() == {}


@pytest.mark.parametrize("service", [name for name in KEPT if name != "vrrp"])
def test_traffic_goes_on_while_a_container_is_killed(director: Deployment, service: str) -> None:
    """A process that dies is started again by the engine; `docker kill` waits for the next up."""
    table = director.ipvsadm()
    with Probe(director.client, DR, interval=0.2, timeout=15) as probe:
        os.kill(int(director.state(service, "{{.State.Pid}}")), signal.SIGKILL)
        wait_until(lambda: int(director.state(service, "{{.RestartCount}}")) > 0, "a restart", 60)
        back = director.await_well(service)
        docker("kill", director.container(service))
        probe.wait_for(10, 60)
        assert director.state(service) == "exited"
        assert director.ipvsadm() == table
        director.compose("up", "-d")
        again = director.await_well(service)
    FACTS.append(f"{service}: well {back:.1f} s after its process died, {again:.1f} s after up")
    assert probe.failures() == []
    assert director.ipvsadm() == table


def test_a_killed_vrrp_gives_the_address_up_and_takes_it_again(director: Deployment) -> None:
    """Guard and machine die together: the lease is the bound; there is no peer to take over."""
    docker("kill", director.container("vrrp"))
    gone = wait_until(lambda: not director.owns_address(), "the address is gone", LEASE + 5)
    FACTS.append(f"vrrp killed: the address is gone after {gone:.1f} s")
    assert gone < LEASE + 1
    director.compose("up", "-d")
    director.await_well("vrrp")
    director.await_answer(DR)
    assert Counter(director.who(DR, 8)) == {"d1": 4, "d2": 4}


@pytest.mark.parametrize("service", SERVICES)
def test_logs_are_json_lines(director: Deployment, service: str) -> None:
    said = subprocess.run(
        ["docker", "logs", director.container(service)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert said
    lines = [json.loads(line) for line in said]
    assert {line["service"] for line in lines} == {service}
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)


def test_down_leaves_table_and_log_and_up_changes_nothing(director: Deployment) -> None:
    table, before = director.ipvsadm(), director.events()
    director.compose("down")
    assert director.ipvsadm() == table
    assert not director.owns_address()
    began = time.monotonic()
    director.compose("up", "-d")
    director.await_answer(DR)
    FACTS.append(f"up again, to the first answer: {time.monotonic() - began:.1f} s")
    director.await_well(*KEPT)
    after = director.events()
    assert [each["id"] for each in after[: len(before)]] == [each["id"] for each in before]
    news = [each["type"] for each in after[len(before) :]]
    assert "vrrp.master" in news
    assert not {"table.changed", "table.recorded", "table.drift"} & set(news)
    replayed = director.libra("replay", "--format", "ipvsadm").splitlines()
    assert replayed == director.ipvsadm() == table
