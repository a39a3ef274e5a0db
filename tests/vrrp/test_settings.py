"""What libra-vrrp is told."""

from pathlib import Path

import pytest

from libra_vrrp.settings import NOBODY, Settings, from_environment


def test_the_node_is_enough() -> None:
    settings = from_environment([], {"LIBRA_NODE": "a"})
    assert settings == Settings("a", Path("/var/lib/libra/a"), NOBODY)
    assert settings.routers == Path("/var/lib/libra/a/vrrp/routers.jsonl")


def test_the_environment_can_say_more_and_an_option_wins() -> None:
    told = {"LIBRA_NODE": "a", "LIBRA_STATE": "/srv/x", "LIBRA_VRRP_UID": "1000"}
    assert from_environment(["--node", "b"], told) == Settings("b", Path("/srv/x"), 1000)


def test_a_config_file_is_named_in_either_way_of_writing_options() -> None:
    for written in (["--config", "libra.yaml", "--node", "a"], ["--config=libra.yaml", "--node=a"]):
        settings = from_environment(written, {})
        assert settings == Settings("a", Path("/var/lib/libra/a"), NOBODY, Path("libra.yaml"))


@pytest.mark.parametrize(
    ("arguments", "told", "sentence"),
    [
        pytest.param([], {}, "LIBRA_NODE is not set", id="no node"),
        pytest.param(["--speed"], {"LIBRA_NODE": "a"}, "usage", id="an unknown option"),
        pytest.param(["--node"], {"LIBRA_NODE": "a"}, "usage", id="an option without a value"),
        pytest.param(["libra.yaml", "a"], {"LIBRA_NODE": "a"}, "usage", id="a value without one"),
        pytest.param([], {"LIBRA_NODE": "a", "LIBRA_VRRP_UID": "x"}, "no user id", id="no uid"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: list[str], told: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        from_environment(arguments, told)
