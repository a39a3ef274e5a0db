"""Fields are read by name, and every surprise names the field."""

import pytest

from libra_schemas.reading import MalformedTable, field, items, number, text, word


def test_a_missing_field_takes_its_default() -> None:
    assert text({}, "engine", "") == ""
    assert number({"weight": None}, "weight", 1) == 1
    assert items({}, "flags") == []


@pytest.mark.parametrize("value", [-1, 65536, True, 1.5, "1"])
def test_a_number_out_of_range_or_of_another_kind_is_refused(value: object) -> None:
    with pytest.raises(MalformedTable, match="port is no number from 0 to 65535"):
        number({"port": value}, "port", maximum=65535)


def test_a_word_outside_the_list_is_refused_with_the_list() -> None:
    with pytest.raises(MalformedTable, match="forward is none of nat, dr: 'tun'"):
        word({"forward": "tun"}, "forward", ("nat", "dr"))


@pytest.mark.parametrize("value", [None, [], "key", {"other": 1}])
def test_a_missing_field_without_default_is_refused(value: object) -> None:
    with pytest.raises(MalformedTable, match="key is missing"):
        field(value, "key")
