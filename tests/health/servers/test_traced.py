"""What `libra probe` shows of dialogues that are no text, with the servers that they are for."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from tests.daemons.grpcd import grpcd
from tests.daemons.nsd import nsd
from tests.daemons.process import Daemon
from tests.daemons.slapd import ADMIN, BASE, PASSWORD, slapd

from libra_health.asked import spec_of
from libra_health.dialogue import dialogue_of, tell
from libra_health.outcome import Outcome
from libra_health.probes import Probe
from libra_health.shell.once import Once
from libra_health.wire import Effect, Input, Target
from libra_schemas.config import CheckConfig

Pem = tuple[Path, Path]


def traced(daemon: Daemon, check: Any) -> list[str]:
    """Run a check once; give its dialogue."""
    target = Target(daemon.address, daemon.port)
    probe = Probe(target, spec_of(CheckConfig.model_validate(check), target), 60.0, 30.0)
    dialogue, told = dialogue_of(probe.kind), list[str]()

    def take(_: float, event: Effect | Input | Outcome) -> None:
        nonlocal dialogue
        if isinstance(event, Effect | Input):
            dialogue, lines = tell(dialogue, event)
            told.extend(lines)

    Once((probe,), take).run()
    return told


def spoken(lines: list[str]) -> list[str]:
    return [line for line in lines if line[:2] in {"> ", "< "}]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_question_and_its_answer_are_told_by_their_records(transport: str) -> None:
    dns = {"name": "www.example.net", "type": "A", "transport": transport}
    with nsd() as daemon:
        asked, answered = spoken(traced(daemon, {"dns": dns}))
    found = re.fullmatch(r"> DNS query id (0x[0-9a-f]{4}), rd; www\.example\.net\. A", asked)
    assert found is not None
    assert answered.startswith(
        f"< DNS answer id {found[1]}, NOERROR, aa rd; www.example.net. A; 2 answers: "
    )
    assert "www.example.net. 60 A 192.0.2.7" in answered


def test_a_name_that_is_not_there_is_told_so() -> None:
    with nsd() as daemon:
        lines = spoken(traced(daemon, {"dns": {"name": "none.example.net", "type": "A"}}))
    assert re.fullmatch(
        r"< DNS answer id \S+, NXDOMAIN, aa rd; none\.example\.net\. A; 1 authority", lines[1]
    )


def test_an_answer_cut_short_is_asked_for_again_and_read_anew() -> None:
    with nsd() as daemon:
        lines = traced(daemon, {"dns": {"name": "many.example.net", "type": "A"}})
    assert [line.partition(" ")[0] for line in lines] == [
        "UDP", "UDP", ">", "<", "connect", "connected", ">", "<",
    ]  # fmt: skip
    assert ", aa tc rd;" in lines[3]
    assert " and " in lines[7]
    assert lines[7].count("many.example.net. 60 A") <= 8


def test_a_bind_a_search_and_the_farewell_are_told(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    ldap = {
        "bind_dn": ADMIN,
        "password_file": str(tmp_path / "password"),
        "base": BASE,
        "filter": "(&(objectClass=inetOrgPerson)(|(uid=a*a)(cn>=b))(!(cn=Eve)))",
    }
    with slapd() as daemon:
        lines = spoken(traced(daemon, {"ldap": ldap}))
    assert lines == [
        f"> LDAP 2 bind as '{ADMIN}', password (secret)",
        "< LDAP 2 bind result success (0)",
        f"> LDAP 3 search in '{BASE}', scope sub, for {ldap['filter']}, size limit 1",
        f"< LDAP 3 entry 'uid=ada,{BASE}'",
        "< LDAP 3 search done success (0)",
        "> LDAP 4 unbind",
    ]


def test_a_bind_that_is_refused_is_told_by_its_result(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong horse\n")
    ldap = {"bind_dn": ADMIN, "password_file": str(tmp_path / "password")}
    with slapd() as daemon:
        lines = spoken(traced(daemon, {"ldap": ldap}))
    assert lines[-1] == "< LDAP 2 bind result invalidCredentials (49)"
    assert "horse" not in "".join(lines)


def test_what_is_said_before_and_within_tls_is_told(pem: Pem) -> None:
    tls = {"name": "server.example", "ca_file": str(pem[0])}
    with slapd(tls=pem) as daemon:
        lines = traced(daemon, {"ldap": {"tls": tls, "starttls": True}})
    assert lines[2:4] == ["> LDAP 1 StartTLS", "< LDAP 1 extended result success (0)"]
    assert lines[6:9] == [
        "> LDAP 2 bind, anonymous", "< LDAP 2 bind result success (0)", "> LDAP 4 unbind",
    ]  # fmt: skip


def test_a_call_is_told_frame_by_frame() -> None:
    with grpcd() as daemon:
        lines = spoken(traced(daemon, {"grpc": {"service": "mail.Mailbox"}}))
    assert lines[0] == "> HTTP/2 preface"
    assert "ENABLE_PUSH 0" in lines[1]
    asked = next(line for line in lines if line.startswith("> HEADERS"))
    assert ":method POST" in asked
    assert ":path /grpc.health.v1.Health/Check" in asked
    assert "> DATA stream 1, the last: is mail.Mailbox serving?" in lines
    answered = next(line for line in lines if line.startswith("< HEADERS"))
    assert ":status 200, content-type application/grpc" in answered
    assert "< DATA stream 1: SERVING" in lines
    assert any(
        line.startswith("< HEADERS stream 1, the last:") and "grpc-status 0" in line
        for line in lines
    )
    assert "> GOAWAY: NO_ERROR, last stream 0" in lines


def test_a_server_of_another_kind_is_shown_as_it_speaks() -> None:
    with slapd() as daemon:
        lines = spoken(traced(daemon, "grpc"))
    assert all("\\x" in line for line in lines if line.startswith("< "))


@pytest.mark.skipif(os.geteuid() != 0, reason="echo sockets may be closed to others")
def test_an_echo_is_told_by_its_number() -> None:
    lines = traced(Daemon(0, Path("/dev/null")), "icmp")
    asked, *heard = spoken(lines)
    found = re.search(r"ICMP echo request, .*, seq (\d+), 56 bytes", asked)
    assert found is not None
    assert re.fullmatch(rf"< ICMP echo reply, id \d+, seq {found[1]}, 56 bytes", heard[-1])
