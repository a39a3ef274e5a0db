import pytest

from libra_schemas.places import Path
from libra_schemas.shapes import bounds_at, keys_at


def test_keys_are_read_from_the_models_at_any_depth() -> None:
    assert keys_at(("services", "web", "check", "http")) >= {"path", "status", "host"}
    assert keys_at(("services", "web", "check", 0)) >= {"tcp", "every"}
    assert keys_at(("instances", "front", "addresses", 0)) == {"address", "interface"}


def test_a_key_is_known_as_people_write_it() -> None:
    assert "from" in keys_at(("notify", "ops", "email"))


@pytest.mark.parametrize("path", [("nowhere",), ("version", "deeper"), ("services", "web", 0)])
def test_where_no_mapping_stands_there_are_no_keys(path: tuple[str | int, ...]) -> None:
    assert keys_at(path) == frozenset()


@pytest.mark.parametrize(
    ("path", "bounds"),
    [
        pytest.param(("instances", "front", "vrid"), (1, 255), id="of a field"),
        pytest.param(("instances", "front", "priority", "a"), (1, 255), id="in a union"),
        pytest.param(("services", "web", "backends", "w1", "weight"), (0, 65535), id="shared"),
        pytest.param(("services", "web", "quorum"), (1, None), id="open above"),
        pytest.param(("sync", "threshold", 0), (None, None), id="none"),
        pytest.param(("services", "web", "protocol"), (None, None), id="no number"),
        pytest.param(("nowhere",), (None, None), id="nothing"),
    ],
)
def test_bounds_are_read_from_the_models(path: Path, bounds: tuple[int | None, int | None]) -> None:
    assert bounds_at(path) == bounds
