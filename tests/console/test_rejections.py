"""What the log is told of a refused config."""

import pytest

from libra_console.rejections import MOST, rejection
from libra_schemas.envelope import MAX_EVENT
from libra_schemas.errors import Problem

HASH = "0" * 64


def test_a_refused_config_has_no_number_and_names_its_problems_with_their_places() -> None:
    problem = Problem("services.web", "unknown key 'scedule'", "scheduler?", "/etc/x.yaml", 5, 3)
    told = rejection([problem], "me", HASH)
    assert (told.number, told.author, told.hash) == (0, "me", HASH)
    assert told.problems[0].model_dump() == {
        "path": "services.web",
        "message": "unknown key 'scedule'",
        "hint": "scheduler?",
        "file": "/etc/x.yaml",
        "line": 5,
        "column": 3,
    }


def test_the_event_is_bounded_in_number_and_in_size() -> None:
    monster = Problem("p" * 10_000, "m\n" * 1_000_000, "h" * 10_000, "f" * 10_000)
    told = rejection([monster] * 1000, "me", HASH)
    listed = len(told.problems) - 1
    assert 0 < listed <= MOST
    assert told.problems[-1].message == f"and {1000 - listed} more"
    assert "\n" not in told.problems[0].message


@pytest.mark.parametrize("character", ["m", '"', "\\", "\0", "\U0010ffff"])
def test_every_refusal_fits_an_event(character: str) -> None:
    said = character * 600
    told = rejection([Problem(said, said, said, said)] * 1000, "me", HASH)
    assert told.problems[1:]
    assert len(told.model_dump_json().encode()) < MAX_EVENT - 4096


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("notify.ops.webhook.url_file", "'hunter2' is no path", id="a file's key"),
        pytest.param("notify.ops.email.password", 'unknown key "hunter2"', id="a secret's key"),
        pytest.param("x.secret", repr("it's \"hunter2") + " is no path", id="all quotes in it"),
        pytest.param("notify.x.server", "smtp://me:hunter2@host is no host", id="a URL"),
    ],
)
def test_no_secret_is_repeated(path: str, message: str) -> None:
    (told,) = rejection([Problem(path, message, message)], "me", HASH).problems
    assert "hunter2" not in told.model_dump_json()
    assert "…" in told.message
