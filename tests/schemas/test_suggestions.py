import pytest

from libra_schemas.suggestions import advise, is_later, nearest


def test_the_nearest_key_is_asked_for() -> None:
    advice = advise(("services", "web", "schedular"))
    assert advice == ("unknown key 'schedular'", "did you mean scheduler?")


def test_without_a_near_one_the_known_keys_are_listed() -> None:
    _, hint = advise(("nodes", "a", "zzz"))
    assert hint == "known here: address"


def test_where_nothing_is_known_nothing_is_listed() -> None:
    assert advise(("version", "zzz")) == ("unknown key 'zzz'", "")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (
            ("notify", "ops", "email", "password"),
            "write it to a file and name that as password_file",
        ),
        (("notify", "ops", "webhook", "url"), "write it to a file and name that as url_file"),
        (
            ("notify", "ops", "webhook", "token"),
            "write it to a file and name that as secret_file or url_file",
        ),
        (("services", "web", "password"), "write it to a file; no key here takes one"),
    ],
)
def test_a_secret_is_sent_to_its_file(path: tuple[str, ...], hint: str) -> None:
    assert advise(path) == ("a secret is never a value", hint)


@pytest.mark.parametrize(
    "path",
    [
        ("instances", "front", "handover"),
        ("services", "web", "drain"),
        ("services", "web", "check", "vantage"),
        ("services", "web", "backends", "w1", "check", 0, "vantage"),
        ("notify", "ops", "syslog"),
        ("ipvs", "unlogged_after"),
        ("hub",),
    ],
)
def test_what_a_later_release_will_have_is_said_to_be_later(path: tuple[str | int, ...]) -> None:
    assert is_later(path)
    assert advise(path) == ("not in this release yet", "leave it out")


def test_what_no_release_will_have_is_not_later() -> None:
    assert not is_later(("services", "web", "colour"))


def test_a_key_of_this_release_is_not_later() -> None:
    assert not is_later(("services", "web", "check"))


def test_nothing_is_near_to_nonsense() -> None:
    assert nearest("qqq", ["wlc", "rr"]) == ""
