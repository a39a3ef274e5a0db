"""The key file: what it may hold, how a key is rolled, and that no message shows a key."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_schemas.seal_keys import MalformedKeys, added, dumps, parse, retired, switched

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
keys = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=2, unique=True)


def test_a_file_reads_as_it_was_written_down() -> None:
    text = "\n# ours\nlibra-seal-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert parse(text) == (OLD,)
    assert dumps((OLD,)).splitlines()[-1] == text.splitlines()[-1]


@given(keys.map(tuple))
def test_every_list_of_keys_survives_its_file(some: tuple[bytes, ...]) -> None:
    assert parse(dumps(some)) == some


def test_a_key_is_rolled_in_three_steps() -> None:
    both = added((OLD,), NEW)
    assert both == (OLD, NEW)
    assert switched(both) == (NEW, OLD)
    assert retired(switched(both)) == (NEW,)


def test_a_step_that_is_not_due_is_refused() -> None:
    with pytest.raises(ValueError, match="--retire"):
        added((OLD, NEW), bytes(32))
    with pytest.raises(ValueError, match="--add"):
        switched((OLD,))
    with pytest.raises(ValueError, match="nothing is left"):
        retired((OLD,))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "no key in it", id="empty"),
        pytest.param("# only words\n", "no key in it", id="comments alone"),
        pytest.param("hunter2\n", "line 1: expected `libra-seal-1 KEY`", id="a password"),
        pytest.param("\nlibra-seal-2 AAAA\n", "line 2: expected", id="another format"),
        pytest.param("libra-seal-1 !!!!\n", "line 1: the key is no base64", id="no base64"),
        pytest.param("libra-seal-1 AAAA\n", "line 1: 3 octets, a key has 32", id="too short"),
        pytest.param(dumps((OLD,)) + dumps((OLD,)), "the same key twice", id="twice"),
        pytest.param(dumps((OLD, NEW)) + dumps((bytes(32),)), "3 keys: at most 2", id="three keys"),
    ],
)
def test_what_is_no_list_of_keys_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(MalformedKeys, match=complaint):
        parse(text)


@given(st.text(max_size=100) | keys.map(lambda some: dumps(tuple(some)).replace("=", "x")))
def test_no_message_shows_what_may_be_a_key(text: str) -> None:
    try:
        parsed = parse(text)
    except MalformedKeys as wrong:
        said = str(wrong)
        assert not any(word in said for word in text.split() if len(word) > 12)
    else:
        assert base64.b64encode(parsed[0]).decode() in text
