"""Every package declares what it imports, and imports what it declares."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
MANIFESTS = sorted(ROOT.glob("*/pyproject.toml")) + sorted(ROOT.glob("*/*/pyproject.toml"))
OURS = {
    package.name
    for pattern in ("*/src/libra_*", "*/*/src/libra_*")
    for package in ROOT.glob(pattern)
}
PROVIDERS = {
    **packages_distributions(),
    **{name: [name] for name in OURS},  # editable installs do not name their packages
    "pydantic_core": ["pydantic"],  # pydantic pins its core to the digit
}


def normal(name: str) -> str:
    """Normalise a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def project(manifest: Path) -> dict[str, Any]:
    """Read the project table of a manifest."""
    return dict(tomllib.loads(manifest.read_text())["project"])


def declared(manifest: Path) -> set[str]:
    """Name the distributions that a package says it needs."""
    needs = project(manifest).get("dependencies", [])
    return {normal(re.split(r"[^A-Za-z0-9._-]", need, maxsplit=1)[0]) for need in needs}


def imported_names(module: Path) -> Iterator[str]:
    """List the top-level names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(name), level=0):
                yield name.partition(".")[0]


def imported(manifest: Path) -> set[str]:
    """Name the distributions that the code of a package imports, its own left out."""
    found = distributions((manifest.parent / "src").rglob("*.py"))
    return found - {normal(project(manifest)["name"])}


def distributions(modules: Iterable[Path]) -> set[str]:
    """Name the distributions that *modules* import."""
    names = {name for module in modules for name in imported_names(module)}
    foreign = names - sys.stdlib_module_names - {"__future__", "bench", "tests", "tools"}
    unknown = {name for name in foreign if name not in PROVIDERS}
    assert unknown == set(), f"nothing that is installed provides {unknown}"
    return {normal(provider) for name in foreign for provider in PROVIDERS[name]}


def test_every_package_is_looked_at() -> None:
    assert {project(manifest)["name"] for manifest in MANIFESTS} >= {
        "libra-schemas", "libra-runtime", "libra-health", "libra-vrrp", "libra-ipvs-writer",
        "libra-notifier", "libra-console", "libra-cli", "libra-lab",
    }  # fmt: skip


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_what_a_package_imports_it_declares(manifest: Path) -> None:
    assert imported(manifest) - declared(manifest) == set()


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_what_a_package_declares_it_imports(manifest: Path) -> None:
    assert declared(manifest) - imported(manifest) == set()


def test_what_tests_and_benchmarks_import_the_developers_lock_asks_for() -> None:
    lines = (ROOT / "requirements" / "dev.in").read_text().splitlines()
    asked = {normal(line) for line in lines if line and not line.startswith("#")}
    asked |= {need for manifest in MANIFESTS for need in declared(manifest)}
    modules = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
    ours = {normal(project(manifest)["name"]) for manifest in MANIFESTS}
    assert distributions(modules) - asked - ours == set()
