"""`libra check` says which files and users of the checks are not on this machine."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from libra_cli.absent import absent
from libra_cli.testing import Host
from libra_runtime.yaml_config import load_config

HEAD = """\
version: 1
nodes: {a: {address: 10.0.0.2}}
services:
  web:
    address: 192.0.2.10:443
    backends: {w1: 10.0.1.11:443}
"""
HINT = "(every node that checks needs it)"


@pytest.mark.parametrize(
    ("check", "place"),
    [
        ("{https: {tls: {ca_file: /no/x}}}", "https.tls.ca_file"),
        ("{tls: {certificate_file: /no/x}}", "tls.certificate_file"),
        ("{ldap: {bind_dn: x, starttls: true, password_file: /no/x}}", "ldap.password_file"),
        ("{smtp: {user: x, in_clear: true, password_file: /no/x}}", "smtp.password_file"),
        ("{http: {headers_files: {X-Token: /no/x}}}", "http.headers_files.X-Token"),
        ("{exec: {command: [/no/x, -v]}}", "exec.command[0]"),
        ("{file: {path: /no/x}}", "file.path"),
    ],
)
def test_a_file_that_is_not_here_is_noted(host: Host, check: str, place: str) -> None:
    line = f"    check: {check}"
    file, column = host.write(f"{HEAD}{line}\n"), line.index("/no/x") + 1
    done = host.libra("check", file)
    told = f"services.web.check.{place}: there is no /no/x on this machine {HINT}"
    assert done.stderr == f"{file}:7:{column}: note: {told}\n"
    assert (done.returncode, done.stdout.startswith(f"{file} is valid")) == (0, True)
    shown = json.loads(host.libra("check", file, "--json").stdout)
    assert shown["notes"] == [f"{file}:7:{column}: {told}"]


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("{https: {tls: {ca_file: /etc}}}", "/etc is a directory on this machine"),
        ("{file: {path: /etc}}", "/etc is a directory on this machine"),
        ("{exec: {command: [/etc/passwd]}}", "nobody may execute /etc/passwd on this machine"),
        (
            "{https: {tls: {ca_file: /etc/passwd}}}",
            "/etc/passwd on this machine has nothing in PEM",
        ),
    ],
)
def test_a_file_that_cannot_serve_is_noted(host: Host, check: str, told: str) -> None:
    done = host.libra("check", host.write(f"{HEAD}    check: {check}\n"))
    assert done.stderr.endswith(f": {told} {HINT}\n")
    assert (done.returncode, done.stderr.count("note: ")) == (0, 1)


def test_a_user_that_is_not_here_is_noted(host: Host) -> None:
    check = "{exec: {command: [/bin/sh], user: no-such-user}}"
    done = host.libra("check", host.write(f"{HEAD}    check: {check}\n"))
    told = "there is no user no-such-user on this machine"
    assert f":7:46: note: services.web.check.exec.user: {told} {HINT}\n" in done.stderr


def test_what_several_checks_name_is_noted_once(host: Host) -> None:
    one = "{https: {tls: {ca_file: /no/x}}, port: 8443}"
    done = host.libra("check", host.write(f"{HEAD}    check: [{one}, {one}]\n"))
    assert done.stderr.count("note: ") == 1


@pytest.mark.parametrize(
    "check",
    [
        "{exec: {command: [/bin/sh], user: nobody}}",
        "{file: {path: /no/x, missing: up}}",
        "{https: {tls: {ca_file: %s}}}",
    ],
)
def test_what_is_here_or_may_be_missing_is_not_noted(
    host: Host, check: str, tmp_path: Path
) -> None:
    ours = tmp_path / "ca.pem"
    ours.write_text("our own authority\n-----BEGIN CERTIFICATE-----\n")
    check = check.replace("%s", str(ours))
    assert host.libra("check", host.write(f"{HEAD}    check: {check}\n")).stderr == ""


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be nobody for a while where the tests are run by root, who sees everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_of_what_nobody_lets_us_see_nothing_is_said(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    check = f"{{https: {{tls: {{ca_file: {closed}/x, certificate_file: /no/x}}}}}}"
    config, _ = load_config(f"{HEAD}    check: {check}\n", "libra.yaml")
    with unprivileged():
        said = [finding.message for finding in absent(config)]
    assert said == ["there is no /no/x on this machine"]
