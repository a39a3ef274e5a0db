import pytest
from pydantic import ValidationError

from libra_schemas.config import FileSpec


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"path": "run/w1"}, "must be a whole path"),
        ({"weight": 3}, "valid boolean"),
        ({"missing": "away"}, "'up', 'down' or 'error'"),
        ({"older_than": 0}, "must be longer than 0"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(written: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        FileSpec.model_validate({"path": "/run/w1"} | written)


def test_a_path_alone_is_enough() -> None:
    spec = FileSpec.model_validate({"path": "/run/w1", "older_than": "1m"})
    assert spec == FileSpec(path="/run/w1", weight=False, missing="error", older_than=60.0)
