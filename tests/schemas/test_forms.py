from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from libra_schemas.config import Config
from libra_schemas.forms import form_of
from libra_schemas.places import Path

DOCUMENT: dict[str, Any] = {
    "version": 1,
    "nodes": {"a": {"address": "10.0.0.2"}},
    "instances": {"front": {"interface": "eth0", "vrid": 51, "addresses": ["192.0.2.10/24"]}},
    "services": {"web": {"address": "192.0.2.10:80", "backends": {"w1": "10.0.1.11:80"}}},
    "notify": {"ops": {"program": {"command": ["/usr/bin/page"]}, "match": ["*.*"]}},
}
INSTANCE: Path = ("instances", "front")
SERVICE: Path = ("services", "web")
SINK: Path = ("notify", "ops")


def with_form(path: Path) -> Any:
    """Put what is shown for `path` where it is to stand."""
    document = deepcopy(DOCUMENT)
    form = yaml.safe_load(form_of(path))
    place: Any = document
    for part in path[:-1]:
        place = place.setdefault(part, {})
    place |= form
    return document


def paths() -> Iterator[Path]:
    yield from (("version",), ("nodes",), ("instances",), ("services",), ("notify",), ("sync",))
    yield from (("tether",), ("ipvs",), ("ipvs", "sysctls"), ("ipvs", "timeouts"))
    for key in ("interface", "vrid", "priority", "addresses", "excluded", "vmac", "routes"):
        yield (*INSTANCE, key)
    for key in ("rules", "seal", "track", "garp", "preempt", "interval", "auth_file", "lease"):
        yield (*INSTANCE, key)
    for key in ("interfaces", "programs", "files", "processes", "services", "sync"):
        yield (*INSTANCE, "track", key)
    for key in ("backends", "sorry", "check", "flags", "fwmark"):
        yield (*SERVICE, key)
    for key in ("webhook", "email", "program", "match", "nodes", "services", "retry"):
        yield (*SINK, key)


@pytest.mark.parametrize("path", list(paths()), ids=".".join)
def test_what_is_shown_may_stand_there(path: Path) -> None:
    try:
        Config.model_validate(with_form(path))
    except ValidationError as wrong:
        pytest.fail(f"{form_of(path)}: {wrong}")


def test_the_whole_config_is_shown_for_a_file_that_is_none() -> None:
    assert form_of(()) == "{version: 1, nodes: {NAME: {address: 10.0.0.2}}}"
    Config.model_validate(yaml.safe_load(form_of(())))


@pytest.mark.parametrize(
    ("path", "form"),
    [
        pytest.param((*INSTANCE, "addresses", 0), "192.0.2.10/24", id="an entry of a list"),
        pytest.param(("nodes", "a"), "a: {address: 10.0.0.2}", id="a name"),
        pytest.param((*INSTANCE, "priority"), "priority: 100", id="the default"),
        pytest.param((*INSTANCE, "interval"), "interval: 1s", id="a duration"),
        pytest.param(("sync", "threshold"), "threshold: [1, 1]", id="of a length"),
        pytest.param((*SINK, "webhook"), "webhook: {url_file: /etc/libra/FILE}", id="a file"),
        pytest.param((*SERVICE, "one_packet"), "one_packet: false", id="true or false"),
        pytest.param(("nowhere",), "", id="nothing is known"),
        pytest.param(("version", "deeper"), "", id="no mapping"),
        pytest.param((*INSTANCE, "interval", "deeper"), "", id="none of several kinds"),
    ],
)
def test_a_form_is_the_least_that_one_writes(path: Path, form: str) -> None:
    assert form_of(path) == form
