"""Putting sentences together."""

from libra_schemas.sentences.words import because, counted, listed


def test_why_follows_where_there_is_something_to_say() -> None:
    assert because("web is down", "no backend") == "web is down: no backend"
    assert because("web is down", "") == "web is down"


def test_one_is_one_and_others_are_several() -> None:
    assert [counted(n, "change") for n in (0, 1, 2)] == ["0 changes", "1 change", "2 changes"]


def test_a_long_list_ends_in_how_many_more() -> None:
    assert listed(["a", "b"], 2) == "a; b"
    assert listed(["a", "b", "c", "d"], 2) == "a; b; and 2 more"
    assert listed([], 2) == ""
