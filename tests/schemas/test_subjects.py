import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_schemas import subjects
from libra_schemas.errors import MalformedSubject
from libra_schemas.model import NAME_PATTERN
from libra_schemas.subjects import Subject

names = st.from_regex(NAME_PATTERN, fullmatch=True)


@given(names, names, names, st.lists(names, min_size=1, max_size=4))
def test_a_subject_reads_back_as_written(node: str, noun: str, verb: str, key: list[str]) -> None:
    subject = Subject(node, f"{noun}.{verb}", tuple(key))
    assert subjects.parse(str(subject)) == subject


@given(st.text())
def test_any_text_is_a_subject_or_malformed(text: str) -> None:
    try:
        assert str(subjects.parse(text)) == text
    except MalformedSubject as error:
        assert str(error)  # noqa: PT017 - either way is right, the property is that no other is


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("lvs.a.backend.down", id="no key"),
        pytest.param("state.a.backend.down.web", id="not lvs"),
        pytest.param("lvs.a.backend.down.web.w 1", id="a token with a space"),
        pytest.param("lvs.a.backend.down.web.w1\n", id="a line end"),
        pytest.param("lvs.a.backend.down..w1", id="an empty token"),
        pytest.param("lvs.a.backend.down.web.>", id="a wildcard"),
    ],
)
def test_what_is_no_subject_of_ours_is_refused(text: str) -> None:
    with pytest.raises(MalformedSubject):
        subjects.parse(text)


def test_every_type_of_an_entity_writes_one_register() -> None:
    written = {Subject("a", f"backend.{verb}", ("web", "w1")).register for verb in ("up", "down")}
    assert written == {("backend", "web", "w1")}


def test_an_unknown_type_has_a_register_of_its_own() -> None:
    assert Subject("a", "moon.full", ("all",)).register == ("moon.full", "all")


def test_the_state_stream_keeps_a_register_on_one_subject() -> None:
    assert Subject("a", "vrrp.master", ("front",)).state == "state.a.instance.front"


def test_sources_and_dead_letters_name_node_and_service() -> None:
    assert subjects.source_of("a", "health") == "/lvs/a/health"
    assert subjects.dead_letter("a", "health") == "dead.a.health"
