from pathlib import Path

import pytest

from libra_health.settings import Settings


def test_the_environment_names_node_and_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBRA_NODE", "a")
    monkeypatch.setenv("LIBRA_STATE", "/tmp/a")  # noqa: S108  nothing is written there
    settings = Settings.from_environment()
    assert settings.edge.node == "a"
    assert settings.kept_config == Path("/tmp/a/health.config.json")  # noqa: S108  likewise
    assert settings.edge.metrics_port == 9641
