"""Every config in examples/ is one that `libra check` takes, without a note."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from libra_cli.app import app

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(
    path for path in (ROOT / "examples").rglob("*.yaml") if "compose.yml" not in path.name
)


def test_the_ways_to_share_addresses_are_among_them() -> None:
    assert {path.name for path in EXAMPLES} >= {
        "libra.yaml", "active-active.yaml", "nat-pair.yaml", "uplink.yaml", "vrrp-only.yaml",
    }  # fmt: skip


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_example_is_taken(path: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(path)])
    assert (result.exit_code, "note" in result.output) == (0, False), result.output
