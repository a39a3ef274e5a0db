"""Where a node's things are."""

from pathlib import Path

import pytest

from libra_cli.exits import CommandError
from libra_cli.site import Given, default_node, locate


def test_the_command_line_wins_over_the_environment(tmp_path: Path) -> None:
    environ = {"LIBRA_NODE": "b", "LIBRA_STATE": "/b", "LIBRA_NATS": "nats://127.0.0.1:5000"}
    site = locate(Given(node="a", state=tmp_path), environ)
    assert (site.node, site.state, site.run) == ("a", tmp_path, Path("/run/libra/a"))
    assert site.endpoint == ("127.0.0.1", 5000)
    assert site.seed("health") == tmp_path / "seeds/health.seed"
    assert site.socket == Path("/run/libra/a/console.sock")


def test_without_a_name_the_node_is_the_last_part_of_its_directory() -> None:
    assert locate(Given(state=Path("/x/c"), run=Path("/y")), {}).node == "c"


def test_a_config_of_one_node_needs_no_name() -> None:
    assert default_node(["only"]) == "only"


def test_a_config_of_several_nodes_does_when_none_is_this_host() -> None:
    with pytest.raises(CommandError, match="Name it with --node: north-of-nowhere, south"):
        default_node(["north-of-nowhere", "south"])
