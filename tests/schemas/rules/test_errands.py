from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

VARIABLE = "a variable's name holds letters, digits and _ and starts with no digit"
COMMAND = ["/usr/local/bin/check"]


@pytest.mark.parametrize(
    "name", ["PGPASSWORD", "DB_PASS", "api_token", "SECRET_1", "APIKEY", "DBPWD"]
)
def test_a_secret_in_a_programs_environment_is_refused(
    document: Document, complaints: Complain, name: str
) -> None:
    check = {"exec": {"command": COMMAND, "environment": {name: "x", "DEPTH": "2"}}}
    document["services"]["web"]["check"] = check
    place = f"services.web.check.exec.environment.{name}"
    hint = f"write it to a file that the program reads, and name that as {name}_FILE"
    said = f"{place}: holds a secret, and a secret is never a value ({hint})"
    assert complaints(document) == [said]


def test_a_secret_among_a_programs_arguments_is_refused(
    document: Document, complaints: Complain
) -> None:
    command = [*COMMAND, "--password-file=/x", "--password=hunter2"]
    document["services"]["web"]["check"] = {"exec": {"command": command}}
    hint = "write it to a file that the program reads, and name that"
    said = f"holds a secret, and a secret is never a value ({hint})"
    assert complaints(document) == [f"services.web.check.exec.command[2]: {said}"]


def test_a_secret_after_the_option_that_names_it_is_refused(
    document: Document, complaints: Complain
) -> None:
    command = [*COMMAND, "--password", "hunter2", "--password-file", "/x"]
    document["services"]["web"]["check"] = {"exec": {"command": command}}
    (said,) = complaints(document)
    assert said.startswith("services.web.check.exec.command[2]: holds a secret")


def test_the_name_of_a_secrets_file_is_no_secret(document: Document, complaints: Complain) -> None:
    environment = {"PGPASSWORD_FILE": "/etc/libra/pg", "PASSIVE": "1"}
    check = {"exec": {"command": COMMAND, "environment": environment}}
    document["services"]["web"]["check"] = check
    assert complaints(document) == []


@pytest.mark.parametrize(
    ("key", "value"), [("port", 80), ("bind", "10.0.0.2"), ("interface", "eth0"), ("fwmark", 7)]
)
def test_a_file_goes_no_way(document: Document, complaints: Complain, key: str, value: Any) -> None:
    document["services"]["web"]["check"] = [{"file": {"path": "/run/w"}, key: value}]
    assert complaints(document) == [
        f"services.web.check[0].{key}: a file check sends nothing (leave it out)"
    ]


@pytest.mark.parametrize(
    ("check", "complaint"),
    [
        ("exec", ".exec.command: is missing (as in command: [/usr/bin/ping, -c1, 10.0.0.1])"),
        ({"file": None}, ".file.path: is missing (as in path: /etc/libra/FILE)"),
        (
            {"exec": {"command": COMMAND, "environment": {"LIBRA_PORT": "1"}}},
            ".exec.environment.LIBRA_PORT: begins with LIBRA_, which the check itself sets",
        ),
        (
            {"exec": {"command": COMMAND, "environment": {"1A": "1"}}},
            f".exec.environment.1A: {VARIABLE}",
        ),
        (
            {"exec": {"command": COMMAND, "user": "a b"}},
            ".exec.user: a user's name holds at most 32 letters, digits, -, _ and .",
        ),
        (
            {"exec": {"command": COMMAND}, "timeout": "3s"},
            (
                ".timeout: timeout 3s is longer than every 1s"
                " (write every: 3s or longer, or a shorter timeout)"
            ),
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(
    document: Document, complaints: Complain, check: object, complaint: str
) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == [f"services.web.check{complaint}"]


@pytest.mark.parametrize(
    "check",
    [
        {"exec": {"command": COMMAND, "user": "nobody", "weight": "stdout"}, "bind": "10.0.0.2"},
        {"file": {"path": "/run/w", "weight": True, "missing": "up", "older_than": "1m"}},
    ],
)
def test_a_check_that_can_be_run_is_fine(
    document: Document, complaints: Complain, check: object
) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == []
