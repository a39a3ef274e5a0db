import pytest

from libra_schemas.misplaced import foreign, whereabouts
from libra_schemas.places import Path
from libra_schemas.suggestions import advise

WEB = ("services", "web")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ((*WEB, "check", "dns", "every"), "it stands beside dns, not in it"),
        ((*WEB, "check", 0, "http", "fall"), "it stands beside http, not in it"),
        ((*WEB, "check", "max_down"), "it stands beside check, not in it"),
        ((*WEB, "backends", "w1", "damping"), "it stands beside backends, not in it"),
        ((*WEB, "every"), "it stands in check"),
        ((*WEB, "fall"), "it stands in check"),
        ((*WEB, "http"), "it stands in check"),
        ((*WEB, "weight"), "it stands in backends"),
        ((*WEB, "check", "path"), "it stands in file, http or https"),
        (("vrid",), "it stands in instances"),
        (("enabled",), "it stands in sync or tether"),
    ],
)
def test_a_key_on_another_level_is_told_where_it_stands(path: Path, hint: str) -> None:
    assert advise(path) == (f"unknown key {path[-1]!r}", hint)


def test_a_port_that_stands_in_a_kind_stands_beside_it() -> None:
    hint = "it stands beside smtp, not in it"
    assert advise((*WEB, "check", "smtp", "port")) == ("unknown key 'port'", hint)


@pytest.mark.parametrize("key", ["colour", "shedular"])
def test_a_key_that_nobody_knows_stands_nowhere(key: str) -> None:
    assert whereabouts((*WEB, key)) == ""


def test_a_colon_without_a_space_is_told() -> None:
    assert advise((*WEB, "forward:nat"))[1] == "a space is missing after forward:"
    assert whereabouts((*WEB, "colour:red")) == ""


def test_merge_keys_and_extension_keys_are_said_not_to_be_taken() -> None:
    assert advise((*WEB, "<<")) == (
        "merge keys are not taken",
        "write the keys out; an alias of a whole value is taken",
    )
    assert advise(("x-usual",)) == (
        "extension keys are not taken",
        "write a comment (#), and an anchor (&) where its value stands first",
    )
    assert foreign("xx") is None
