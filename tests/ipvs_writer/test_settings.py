"""The writer's settings come from the environment."""

import pytest

from libra_ipvs_writer.settings import Settings


def test_the_writer_has_a_metrics_port_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBRA_NODE", "a")
    monkeypatch.delenv("LIBRA_METRICS_PORT", raising=False)
    edge = Settings.from_environment().edge
    assert (edge.node, edge.service, edge.metrics_port) == ("a", "ipvs-writer", 9643)
