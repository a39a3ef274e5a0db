from ipaddress import ip_address

import pytest
from pydantic import ValidationError

from libra_schemas.model import Address, Fact, Name, Strict


class Read(Fact):
    name: Name
    took: float = 0.0


class Written(Strict):
    name: Name


def test_a_reader_ignores_what_a_newer_writer_added() -> None:
    assert Read.model_validate({"name": "a", "new": 1}) == Read(name="a")


def test_a_person_is_told_of_a_key_that_nobody_reads() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Written.model_validate({"name": "a", "new": 1})


@pytest.mark.parametrize("name", ["", "-a", "a.b", "a b", "a" * 64, "a\n", "a>", "ä"])
def test_a_name_is_one_subject_token(name: str) -> None:
    with pytest.raises(ValidationError):
        Written(name=name)


def test_a_number_that_json_cannot_say_never_enters_an_event() -> None:
    with pytest.raises(ValidationError, match="finite"):
        Read(name="a", took=float("inf"))


class Placed(Fact):
    at: Address


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:db8::1"])
def test_an_address_is_read_once_and_the_same_each_time(text: str) -> None:
    assert Placed.model_validate({"at": text}).at == ip_address(text)
    assert Placed.model_validate_json(f'{{"at": "{text}"}}').at == ip_address(text)


@pytest.mark.parametrize("value", ["192.0.2.256", "", "192.0.2.1/24", None, [], {}])
def test_what_is_no_address_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Placed.model_validate({"at": value})


@pytest.mark.parametrize("text", ["www.example.net", "localhost", "web-1:80", "eth0", "a.b."])
def test_a_name_is_not_looked_up(text: str) -> None:
    with pytest.raises(ValidationError, match="expected a numeric address such as"):
        Placed.model_validate({"at": text})


@pytest.mark.parametrize("text", ["192.0.2", "2001:db8:::1", "192.0.2.1:80", "a b", "fe80::1%"])
def test_what_looks_like_an_address_is_no_name(text: str) -> None:
    with pytest.raises(ValidationError, match="not a valid"):
        Placed.model_validate({"at": text})
