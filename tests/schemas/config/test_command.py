import pytest
from pydantic import TypeAdapter, ValidationError
from tests.schemas.conftest import Complain, Document

from libra_schemas.config.command import Command

COMMAND: TypeAdapter[tuple[str, ...]] = TypeAdapter(Command)
HOW = 'write a list of words such as [/usr/bin/check, -H, x], or ask a shell: [/bin/sh, -c, "..."]'


@pytest.mark.parametrize(
    ("written", "said"),
    [
        pytest.param(
            "/usr/bin/check -H x",
            f"is one text, and no shell parts it into words ({HOW})",
            id="a line as text",
        ),
        pytest.param(
            ["/usr/bin/check -H x | grep ok"],
            f"is one word, and no shell parts it into several ({HOW})",
            id="a line as one word",
        ),
        pytest.param(
            ["/usr/bin/check", "-H", "x", "|", "grep", "ok"],
            f"the word | is for a shell, and none reads it ({HOW})",
            id="a pipe",
        ),
        pytest.param(
            ["/usr/bin/check", ">/dev/null"],
            f"the word >/dev/null is for a shell, and none reads it ({HOW})",
            id="output sent away",
        ),
        pytest.param(
            ["/usr/bin/ping", "-c", "1", "$LIBRA_ADDRESS"],
            "no shell puts in what LIBRA_ADDRESS stands for"
            f" (the program finds it in its environment, or {HOW})",
            id="a variable of a program that has an option -c",
        ),
        pytest.param(
            ["/usr/bin/check", "-H", "${LIBRA_ADDRESS}"],
            "no shell puts in what LIBRA_ADDRESS stands for"
            f" (the program finds it in its environment, or {HOW})",
            id="a variable",
        ),
        pytest.param(
            ["check", "-H", "x"],
            "must be a whole path, one that begins with /",
            id="a program to be looked for",
        ),
    ],
)
def test_a_line_for_a_shell_is_refused_with_how_to_write_it(
    document: Document, complaints: Complain, written: object, said: str
) -> None:
    document["services"]["web"]["check"] = {"exec": {"command": written}}
    assert complaints(document) == [f"services.web.check.exec.command: {said}"]


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(["/usr/bin/check"], id="a program alone"),
        pytest.param(["/opt/my checks/one", "x"], id="a path with a blank"),
        pytest.param(["/opt/my checks/one"], id="a path with a blank alone"),
        pytest.param(["/usr/bin/psql", "-F", "|", "-f", "q.sql"], id="a bar as an option's value"),
        pytest.param(["/usr/bin/expr", "1", "|", "0"], id="a bar among numbers"),
        pytest.param(["/usr/bin/python3", "-Ic", "print()", "x", "&&", "y"], id="an interpreter's"),
        pytest.param(["/usr/bin/check", "a b", "c;d"], id="words with blanks"),
        pytest.param(["/bin/sh", "-c", "check $LIBRA_ADDRESS | grep ok"], id="a shell"),
        pytest.param(["/bin/bash", "-lc", "exec $@ 2>&1", "x", "|"], id="a shell's arguments"),
    ],
)
def test_a_list_of_words_is_taken_as_it_is(written: list[str]) -> None:
    assert COMMAND.validate_python(written) == tuple(written)


@pytest.mark.parametrize("written", [[], ["/bin/x", "a\0b"], ["/bin/x", 1], 5])
def test_what_is_no_list_of_words_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        COMMAND.validate_python(written)
