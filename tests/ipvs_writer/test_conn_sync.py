"""Which sync daemons should run, and what the kernel must be set to."""

from datetime import UTC, datetime
from typing import Any

import pytest

from libra_ipvs_writer.conn_sync import described, forwarding, same, sysctls, wanted
from libra_ipvs_writer.daemons import Daemon
from libra_schemas.config import Config, IpvsConfig
from libra_schemas.envelope import NEW_CHAIN, Event
from libra_schemas.events import InstanceState
from libra_schemas.intent.fold import Entry, State
from libra_schemas.subjects import Subject

FRONT = {"interface": {"a": "eth0", "b": "eth9"}, "vrid": 51, "addresses": ["192.0.2.10/24"]}


def config(nodes: str = "ab", services: Any = None, **sync: Any) -> Config:
    return Config.model_validate(
        {
            "version": 1,
            "nodes": {node: {"address": f"10.0.0.{n}"} for n, node in enumerate(nodes, 1)},
            "instances": {"front": FRONT},
            "services": services or {},
            "sync": sync,
        }
    )


def entered(state: str) -> State:
    data = InstanceState.model_validate(
        {
            "instance": "front",
            "state": state,
            "why": "timer",
            "vrid": 51,
            "interface": "eth0",
            "priority": 100,
            "interval_ms": 1000,
        }
    )
    event = Event(
        id="x",
        source="/lvs/a/vrrp",
        type=f"vrrp.{state}",
        subject="front",
        time=datetime(2026, 1, 1, tzinfo=UTC),
        dataschema="",
        epoch=1,
        chainseq="1",
        chainprev=NEW_CHAIN,
        data=data,
    )
    subject = Subject("a", f"vrrp.{state}", ("front",))
    return {subject.register: Entry(1, subject, event)}


def test_by_default_both_roles_run_on_the_first_instances_interface() -> None:
    assert wanted(config(), "b", {}) == (
        Daemon("master", "eth9", 0, 0, "224.0.0.81", 8848, 1),
        Daemon("backup", "eth9", 0, 0, "224.0.0.81", 8848, 1),
    )


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        pytest.param(config("a"), "alone", id="a-director-alone"),
        pytest.param(config(enabled=False), "off", id="switched-off"),
        pytest.param(config(interface={"b": "eth1"}), "elsewhere", id="no-interface-here"),
    ],
)
def test_where_there_is_nobody_to_sync_with_nothing_runs(made: Config, reason: str) -> None:
    assert wanted(made, "a", {}) == (), reason


@pytest.mark.parametrize(
    ("state", "role"), [("master", "master"), ("backup", "backup"), ("fault", "backup")]
)
def test_a_following_daemon_takes_the_instances_role(state: str, role: str) -> None:
    made = config(role="follow", interface="eth1")
    assert [each.role for each in wanted(made, "a", entered(state))] == [role]


def test_before_any_instance_spoke_a_following_daemon_is_backup() -> None:
    assert [each.role for each in wanted(config(role="follow"), "a", {})] == ["backup"]


def test_a_daemon_is_the_same_with_the_size_the_kernel_chose() -> None:
    asked = Daemon("master", "eth0", 0, 0, "224.0.0.81", 8848, 1)
    assert same(asked, Daemon("master", "eth0", 0, 1472, "224.0.0.81", 8848, 1))
    assert not same(asked, Daemon("master", "eth1", 0, 1472, "224.0.0.81", 8848, 1))


def test_the_running_daemons_are_told_as_one_role() -> None:
    assert described([]).role == "off"
    one = described([Daemon("backup", "eth0", 7, 1472, "224.0.0.81", 8848, 1)])
    assert (one.role, one.interface, one.syncid, one.maxlen) == ("backup", "eth0", 7, 1472)
    assert described(wanted(config(), "a", {})).role == "both"


def test_the_sysctls_are_the_defaults_and_what_the_config_says() -> None:
    assert sysctls(config(refresh_period=20)) == {
        "net.ipv4.vs.sync_threshold": "2 0",
        "net.ipv4.vs.sync_refresh_period": "20",
        "net.ipv4.vs.sloppy_tcp": "1",
        "net.ipv4.vs.expire_nodest_conn": "1",
        "net.ipv4.vs.expire_quiescent_template": "1",
        "net.ipv4.vs.conn_reuse_mode": "1",
    }


def test_the_config_overrules_a_default() -> None:
    asked = config().model_copy(update={"ipvs": IpvsConfig(sysctls={"conn_reuse_mode": 0})})
    assert sysctls(asked)["net.ipv4.vs.conn_reuse_mode"] == "0"


@pytest.mark.parametrize(
    ("service", "needed"),
    [
        pytest.param({"address": "192.0.2.10:80"}, "net.ipv4.ip_forward", id="v4"),
        pytest.param({"address": "[2001:db8::1]:80"}, "net.ipv6.conf.all.forwarding", id="v6"),
        pytest.param({"fwmark": 7}, "net.ipv4.ip_forward", id="mark"),
        pytest.param({"fwmark": 7, "family": "ipv6"}, "net.ipv6.conf.all.forwarding", id="mark-v6"),
    ],
)
def test_nat_needs_forwarding(service: dict[str, Any], needed: str) -> None:
    web = {**service, "backends": {"w1": "10.0.0.1:80"}}
    assert forwarding(config(services={"web": web})) == {needed: "1"}
    assert forwarding(config(services={"web": {**web, "forward": "dr"}})) == {}
