"""The writer's settings come from the environment."""

import pytest

from libra_ipvs_writer.settings import Settings


def test_the_writer_has_a_metrics_port_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBRA_NODE", "a")
    monkeypatch.delenv("LIBRA_METRICS_PORT", raising=False)
    edge = Settings.from_environment().edge
    assert (edge.node, edge.service, edge.metrics_port) == ("a", "ipvs-writer", 9643)


@pytest.mark.parametrize(("said", "asked"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_private_services_are_among_the_metrics_where_somebody_asks(
    monkeypatch: pytest.MonkeyPatch, said: str | None, asked: bool
) -> None:
    monkeypatch.setenv("LIBRA_NODE", "a")
    monkeypatch.delenv("LIBRA_PATH_METRICS", raising=False)
    if said is not None:
        monkeypatch.setenv("LIBRA_PATH_METRICS", said)
    assert Settings.from_environment().path_metrics is asked
