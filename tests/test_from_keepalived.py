"""docs/from-keepalived.md shows one pair twice: LibrA takes its own, keepalived the other one."""

import os
import re
import shutil
import subprocess
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from libra_runtime.yaml_config import load_config
from libra_schemas.keepalived import ABSENT, OURS

PAGE = (Path(__file__).parents[1] / "docs" / "from-keepalived.md").read_text()
THEIRS, OWN, THEIR_CHECKS, OWN_CHECKS = (
    text for _, text in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
)
KINDS = {
    "HTTP_GET": "http",
    "SSL_GET": "https",
    "MISC_CHECK": "exec",
    "FILE_CHECK": "file",
    "SMTP_CHECK": "smtp",
    "TCP_CHECK": "tcp",
    "DNS_CHECK": "dns",
    "UDP_CHECK": "udp",
    "PING_CHECK": "icmp",
}


def block(kind: str, name: str) -> str:
    found = re.search(rf"^{kind} {name} {{\n(.*?)^}}", THEIRS, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def value(word: str, text: str) -> str:
    found = re.search(rf"^\s+{word} (.*)$", text, re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", ["outside", "inside"])
def test_both_say_the_same(name: str) -> None:
    config, _ = load_config(OWN, "from-keepalived.md")
    ours, theirs = config.instances[name], block("vrrp_instance", name)
    assert ours.interface == value("interface", theirs)
    assert ours.vrid == int(value("virtual_router_id", theirs))
    assert ours.priority_on("a") == int(value("priority", theirs))
    assert ours.interval == float(value("advert_int", theirs))
    assert ours.preempt == float(value("preempt_delay", theirs))
    assert [str(each) for each in ours.addresses] == re.findall(
        r"^ +([0-9./]+)$", theirs, re.MULTILINE
    )
    assert ours.group == "router"
    assert ours.version == 2
    assert f"# holds: {value('auth_pass', theirs)}\n" in OWN


def test_what_is_tracked_and_routed_is_the_same() -> None:
    config, _ = load_config(OWN, "from-keepalived.md")
    outside, theirs = config.instances["outside"], block("vrrp_instance", "outside")
    script, ours = block("vrrp_script", "upstream"), outside.track.programs["upstream"]
    assert [f'"{ours.command[0]}"', str(ours.weight)] == [
        value("script", script),
        value("weight", script),
    ]
    assert [ours.every, ours.timeout] == [
        float(value(each, script)) for each in ("interval", "timeout")
    ]
    assert [ours.rise, ours.fall] == [int(value(each, script)) for each in ("rise", "fall")]
    assert list(outside.track.interfaces) == ["eth1"]
    assert "track_interface {\n        eth1" in theirs
    (route,) = outside.routes
    assert (
        f"default via {route.via} dev {route.interface} src {route.src} metric {route.metric}"
        in theirs
    )
    assert route.src == IPv4Address("192.0.2.1")


def test_every_keyword_that_is_used_has_its_row_or_none_is_needed() -> None:
    table = PAGE.split("## Keyword by keyword")[1].split("\n## ")[0]
    used = set(re.findall(r"^ *([a-z_]+)(?: .*)?$", THEIRS, re.MULTILINE))
    inner = {
        "group",
        "script",
        "timeout",
        "rise",
        "fall",
        "weight",
        "auth_type",
        "auth_pass",
        "default",
    }
    names = {"upstream", "outside", "inside", "global_defs", "vrrp_instance", "interval"}
    missing = {word for word in used - inner - names if f"`{word}" not in table}
    assert missing == set()


def test_it_knows_no_word_that_libra_check_does_not() -> None:
    table = PAGE.split("## Keyword by keyword")[1].split("\n## ")[0]
    theirs = {
        word
        for row in table.splitlines()[4:]
        for word in re.findall(r"`([a-z_]+)", row.split("|")[1])
    }
    said = {
        *OURS,
        *ABSENT,
        "router_id",
        "script_user",
        "enable_script_security",
        "interface",
        "priority",
    }
    assert theirs - said == {"unicast_src_ip", "_repeat", "_refresh"} - said


def test_both_check_the_same_servers_by_the_same_kinds() -> None:
    config, _ = load_config(OWN_CHECKS, "from-keepalived.md")
    theirs = re.findall(
        r"real_server (\S+) (\d+) {\n(?: {8}weight \d+\n)? {8}([A-Z_]+) {", THEIR_CHECKS
    )
    ours = {
        str(backend.address): check.kind
        for service in config.services.values()
        for backend in service.backends.values()
        for check in service.checks_of(backend)
    }
    assert {f"{address}:{port}": KINDS[kind] for address, port, kind in theirs} == ours
    assert set(ours.values()) == set(KINDS.values())


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("keepalived") is None,
    reason="needs keepalived, and root to ask it in a network namespace of its own",
)
@pytest.mark.parametrize(
    ("text", "part", "complains"), [(THEIRS, "--vrrp", True), (THEIR_CHECKS, "--check", False)]
)
def test_keepalived_takes_its_own(tmp_path: Path, text: str, part: str, complains: bool) -> None:
    """Of the first it says that the interfaces are not there."""
    (tmp_path / "keepalived.conf").write_text(text)
    argv = ["unshare", "--net", "keepalived", "-t", part, "-f", str(tmp_path / "keepalived.conf")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert "Unknown keyword" not in said
    assert ("WARNING - interface" in said) is complains
    assert complains or (said, done.returncode) == ("", 0)
