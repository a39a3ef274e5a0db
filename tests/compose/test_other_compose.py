"""What one compose made, the other takes over: `docker compose` beside docker-compose 1.29."""

from dataclasses import replace
from functools import partial

import pytest
from tests.compose.deployment import DR, FACTS, KEPT, PINNED_COMPOSE, Deployment

from libra_lab.waiting import wait_until

pytestmark = pytest.mark.timeout(600)


def test_compose_v2_goes_on_where_docker_compose_left_off(director: Deployment) -> None:
    director.compose("up", "-d")
    director.await_answer(DR)
    before = director.events()
    director.compose("down")
    modern = replace(director, program=PINNED_COMPOSE)
    modern.compose("up", "-d")
    try:
        modern.await_answer(DR)
        modern.await_well(*(name for name in KEPT if name != "ipvs-writer"))
        alive = [name for name in ("d1", "d2", "d3") if director.servers[name].poll() is None]
        assert len(alive) > 1
        in_table = partial(modern.backends, "192.0.2.10:8080")
        wait_until(lambda: len(in_table()) == len(alive), "who serves is in", 60)
        after = modern.events()
        assert [each["id"] for each in after[: len(before)]] == [each["id"] for each in before]
        replayed = modern.libra("replay", "--format", "ipvsadm").splitlines()
        assert replayed == modern.ipvsadm()
        assert "master" in modern.libra("status")
        assert modern.libra("apply", "libra.yaml")
        FACTS.append(f"up by compose {modern.compose('version', '--short').strip()}: as by 1.29")
    finally:
        modern.compose("down")
        director.compose("up", "-d")
        director.await_answer(DR)
