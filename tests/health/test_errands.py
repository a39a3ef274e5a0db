import pytest

from libra_health.errands import how_ended


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exit status 0"),
        (3, "exit status 3"),
        (-9, "killed by SIGKILL"),
        (-35, "killed by signal 35"),
    ],
)
def test_the_end_of_a_program_is_said_in_words(status: int, words: str) -> None:
    assert how_ended(status) == words
