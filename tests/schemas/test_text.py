import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from libra_schemas.events.common import EvidenceText
from libra_schemas.text import LINE_LIMIT, evidence, one_line, spelled

_FITS = TypeAdapter(EvidenceText)


@given(st.binary(max_size=2000) | st.text(max_size=2000))
def test_anything_becomes_one_printable_line_that_fits_an_event(raw: bytes | str) -> None:
    shown = evidence(raw)
    assert shown.isprintable()
    assert _FITS.validate_json(_FITS.dump_json(shown)) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        pytest.param(b"220 mail ESMTP\r\n", "220 mail ESMTP\\r\\n", id="line ends"),
        pytest.param(b"\x1b[2J\x00\tx", "\\x1b[2J\\x00\\tx", id="control characters"),
        pytest.param(b"\xc3\xa9t\xc3\xa9 \xff\xc3", "été \\xff\\xc3", id="bytes that are no UTF-8"),
        pytest.param("a\u202eb\U000e0001", "a\\u202eb\\U000e0001", id="invisible characters"),
        pytest.param("C:\\dir", "C:\\\\dir", id="a backslash cannot forge an escape"),
        pytest.param("x\ud800", "x\\\\ud800", id="half a surrogate pair"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_a_terminal_could_obey_is_escaped(raw: bytes | str, shown: str) -> None:
    assert evidence(raw) == shown


@pytest.mark.parametrize(
    ("raw", "limit", "shown"),
    [
        pytest.param("abcdef", 4, "abcd", id="ASCII"),
        pytest.param("abcé", 4, "abc", id="two bytes cut in half"),
        pytest.param("abé", 4, "abé", id="two bytes that just fit"),
        pytest.param("a€b", 3, "a", id="three bytes cut"),
        pytest.param("😀😀", 5, "😀", id="four bytes cut"),
        pytest.param(b"\x80\x80\x80\x80\x80", 4, "\\x80\\x80\\x80\\x80", id="no character at all"),
        pytest.param("abc", 0, "", id="nothing kept"),
    ],
)
def test_a_cut_leaves_whole_characters(raw: bytes | str, limit: int, shown: str) -> None:
    assert evidence(raw, limit) == shown


def test_512_bytes_are_kept() -> None:
    assert evidence("x" * 10_000) == "x" * 512


@given(st.text())
def test_foreign_words_become_one_printable_line(words: str) -> None:
    line = one_line(words)
    assert line.isprintable()
    assert len(line) <= LINE_LIMIT
    assert one_line(line) == line


def test_a_line_too_long_is_cut_where_asked() -> None:
    assert one_line("one two three", 8) == "one two…"
    assert one_line("x" * (LINE_LIMIT + 1)) == "x" * (LINE_LIMIT - 1) + "…"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0"), (0.5, "500ms"), (1, "1s"), (90, "90s"), (300, "5m"), (7200, "2h"), (86400, "1d")],
)
def test_a_duration_is_spelled_as_in_the_config(seconds: float, words: str) -> None:
    assert spelled(seconds) == words
