"""`make images` says truly what it could not do, and sees where two builders differ."""

import contextlib
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tools.compose import base, buildkit, engine, images
from tools.compose.engine import UNFIT, Broken, Unfit


def fails(error: Exception) -> Callable[[], None]:
    """Make work that ends with *error*."""

    def work() -> None:
        raise error

    return work


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the work begin on any machine, beside a run of `make images`."""
    monkeypatch.setattr(engine, "require", lambda: None)
    monkeypatch.setattr(engine, "alone", contextlib.nullcontext)


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize(
    ("work", "status"),
    [
        pytest.param(lambda: None, 0, id="made"),
        pytest.param(fails(Broken("no such module")), 1, id="cannot be built"),
        pytest.param(fails(subprocess.CalledProcessError(1, "docker")), 1, id="docker fails"),
        pytest.param(fails(Unfit("no engine")), UNFIT, id="no engine can run here"),
    ],
)
def test_a_machine_without_an_engine_is_told_from_an_image_that_breaks(
    work: Callable[[], None], status: int
) -> None:
    assert engine.told(work) == status


def test_ci_lets_nothing_but_an_unfit_machine_pass() -> None:
    script = (engine.ROOT / ".ci/run").read_text()
    assert re.findall(r'"\$status" -eq (\d+)', script) == [str(UNFIT)]
    assert script.rstrip().endswith('exit "$status"')


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Unfit, match="need root"):
        engine.require()


def test_a_missing_program_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "dockerd" else name)
    with pytest.raises(Unfit, match=r"no dockerd on this machine; run: tools/setup compose"):
        engine.require()


def test_every_image_of_the_compose_file_is_made_and_has_its_size_in_the_docs() -> None:
    python, nats, ours = images.names()
    assert python.startswith("python:3.11-")
    assert nats.startswith("nats:")
    assert set(ours.values()) == {
        "health", "vrrp", "ipvs-writer", "notifier", "console", "cli"
    }  # fmt: skip
    listed = re.findall(
        r"^\| `(.+?)` \|", (engine.ROOT / "docs/images.md").read_text(), re.MULTILINE
    )
    assert set(listed) == {image.partition(":")[0] for image in ours}


def test_a_file_that_only_one_builder_made_or_made_differently_is_a_difference() -> None:
    legacy = {"same": "1", "changed": "1", "gone": "1"}
    assert buildkit.difference(legacy, {"same": "1", "changed": "2", "new": "1"}) == [
        "changed", "gone", "new"
    ]  # fmt: skip
    assert buildkit.difference(legacy, dict(legacy)) == []


@pytest.mark.parametrize(
    ("name", "compared"),
    [
        ("libra/lib/python3.11/site-packages/libra_health/verdict/debounce.py", True),
        ("libra/lib/python3.11/site-packages/aiohttp-3.dist-info/METADATA", True),
        ("libra/bin/run", True),
        ("libra/lib/python3.11/site-packages/aiohttp-3.dist-info/RECORD", False),
        ("libra/lib/python3.11/site-packages/__pycache__/six.cpython-311.pyc", False),
    ],
)
def test_what_a_build_stamps_with_its_time_is_not_compared(name: str, compared: bool) -> None:
    assert buildkit.is_compared(tarfile.TarInfo(name)) is compared


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        pytest.param("E: Couldn't find these debs: pyhton3\n", Broken, id="we asked for none such"),
        pytest.param("E: Failed getting release file\n", Unfit, id="no mirror"),
    ],
)
def test_a_base_that_cannot_be_made_is_our_fault_or_the_machines(
    tmp_path: Path, said: str, kind: type[Exception]
) -> None:
    log = tmp_path / "log"
    log.write_text(said)
    failure = base.base_failure(log)
    assert isinstance(failure, kind)
    assert said.strip() in str(failure)
