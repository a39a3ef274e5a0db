"""The table of NATS users: who may say what, and the server config made of it."""

from pathlib import PurePosixPath

import pytest

from libra_schemas.events import MODELS
from libra_schemas.nats import (
    ADMIN,
    LIFE,
    OBSERVER,
    PUBLISHES,
    ServerSettings,
    inbox_prefix,
    own_subjects,
    permissions,
    render_server_config,
)


def matches(filter_: str, subject: str) -> bool:
    """Match as NATS does: `*` one token, `>` one or more at the end."""
    wanted, given = filter_.split("."), subject.split(".")
    for place, word in enumerate(wanted):
        if word == ">":
            return len(given) > place
        if place >= len(given) or word not in {"*", given[place]}:
            return False
    return len(wanted) == len(given)


def may_publish(user: str, subject: str) -> bool:
    return any(matches(each, subject) for each in permissions("a")[user].publish)


def may_hear(user: str, subject: str) -> bool:
    return any(matches(each, subject) for each in permissions("a")[user].subscribe)


@pytest.mark.parametrize("kind", [kind for kind in MODELS if kind not in LIFE])
def test_every_event_type_has_exactly_one_publisher(kind: str) -> None:
    subject = f"lvs.a.{kind}.x"
    assert len([service for service in PUBLISHES if may_publish(service, subject)]) == 1


@pytest.mark.parametrize("service", PUBLISHES)
def test_a_service_says_its_own_life_only(service: str) -> None:
    for life in LIFE:
        assert may_publish(service, f"lvs.a.{life}.{service}")
        assert not any(
            may_publish(other, f"lvs.a.{life}.{service}") for other in PUBLISHES if other != service
        )


@pytest.mark.parametrize("service", PUBLISHES)
def test_a_service_speaks_for_its_own_node_only(service: str) -> None:
    assert not any(may_publish(service, f"lvs.b.{kind}.x") for kind in MODELS)


@pytest.mark.parametrize("service", PUBLISHES)
@pytest.mark.parametrize(
    "subject",
    [
        "$JS.API.STREAM.CREATE.LOG",
        "$JS.API.STREAM.UPDATE.LOG",
        "$JS.API.STREAM.DELETE.LOG",
        "$JS.API.STREAM.PURGE.STATE",
        "$JS.API.STREAM.MSG.DELETE.LOG",
        "$JS.API.CONSUMER.DELETE.LOG.x",
        "$JS.API.CONSUMER.CREATE.STATE.x",
        "state.a.backend.web.w1",
        "$SYS.REQ.SERVER.PING.CONNZ",
    ],
)
def test_no_service_may_touch_the_streams(service: str, subject: str) -> None:
    assert not may_publish(service, subject)


def test_the_observer_only_listens_and_sees_each_event_where_it_is_republished() -> None:
    assert permissions("a")[OBSERVER].publish == ()
    for kind in MODELS:
        assert may_hear(OBSERVER, f"{kind}.a.x")
        assert not may_hear(OBSERVER, f"lvs.a.{kind}.x")


def test_no_user_but_the_admin_reads_another_s_replies() -> None:
    users = [user for user in permissions("a") if user != ADMIN]
    for user in users:
        readers = [each for each in users if may_hear(each, f"{inbox_prefix(user)}.x")]
        assert readers == [user]


def test_own_subjects_cover_all_that_a_service_may_log() -> None:
    assert own_subjects("a", "health") == (
        "lvs.a.backend.>",
        "lvs.a.node.started.health",
        "lvs.a.node.stopped.health",
        "lvs.a.node.recovered.health",
    )


def test_the_server_config_says_what_the_design_demands() -> None:
    settings = ServerSettings(
        "a", PurePosixPath("/var/lib/libra/a/nats"), {"health": "UHEALTH", "observer": "UOBSERVE"}
    )
    text = render_server_config(settings)
    for line in (
        'server_name: "a"',
        'listen: "127.0.0.1:4222"',
        "max_payload: 8388608",
        '  store_dir: "/var/lib/libra/a/nats"',
        '  domain: "a"',
        "  sync_interval: always",
    ):
        assert f"\n{line}\n" in text
    assert '{nkey: "UHEALTH", permissions: {' in text
    assert 'publish: {deny: ">"}' in text
    assert "UADMIN" not in text
    assert "http:" not in text


def test_the_monitor_port_is_rendered_where_it_is_wanted() -> None:
    settings = ServerSettings("a", PurePosixPath("/s"), {}, port=1, monitor=8222)
    assert 'http: "127.0.0.1:8222"\n' in render_server_config(settings)


def test_an_unknown_user_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="no such NATS users: helth"):
        render_server_config(ServerSettings("a", PurePosixPath("/s"), {"helth": "U"}))
