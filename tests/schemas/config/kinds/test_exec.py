import pytest
from pydantic import ValidationError

from libra_schemas.config import ExecSpec


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"command": []}, "at least 1 item"),
        ({"command": ["check"]}, "must be a whole path"),
        ({"command": ["/bin/x", "a\0b"]}, "holds a NUL byte"),
        ({"environment": {"LIBRA_PORT": "1"}}, "begins with LIBRA_"),
        ({"environment": {"A=B": "1"}}, "should match pattern"),
        ({"environment": {"A": "\0"}}, "holds a NUL byte"),
        ({"environment": {"A": 1}}, "valid string"),
        ({"user": "a b"}, "should match pattern"),
        ({"weight": "number"}, "'status' or 'stdout'"),
    ],
)
def test_what_cannot_be_run_is_refused(written: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ExecSpec.model_validate({"command": ["/bin/x"]} | written)


def test_a_program_alone_is_enough() -> None:
    spec = ExecSpec.model_validate({"command": ["/bin/x", "-v"]})
    assert spec == ExecSpec(command=("/bin/x", "-v"), environment={}, user=None, weight=None)
