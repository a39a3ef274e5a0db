import pytest

from libra_health.patterns import compiled, is_costly


def test_patterns_are_matched_against_bytes() -> None:
    assert compiled("^220[ -]").search(b"220 mx")


@pytest.mark.parametrize(
    ("pattern", "costly"),
    [
        pytest.param("^220 ", False),
        pytest.param("ok|ready", False),
        pytest.param(r"[0-9][0-9]$", False),
        pytest.param("", False),
        pytest.param("(a+)+$", True),
        pytest.param("a?a?a?aaa", True),
        pytest.param("(a|a)(a|a)b", True),
        pytest.param(r"(a)\1", True),
        pytest.param("a{2,9}", True),
    ],
)
def test_what_backtracking_can_multiply_is_costly(pattern: str, *, costly: bool) -> None:
    assert is_costly(pattern) is costly
